#include "kernels/kokkos/products.hpp"

#include "kernels/kokkos/rounded_tiles.hpp"
#include "kernels/kokkos/term_panels.hpp"

namespace nanoatlas::kernels::kokkos {
namespace {

using namespace term_panels;

// Rows that are multiplied with axes together, and terms at a time: interleaved in the second
// cache.
#if defined(__CUDACC__)
constexpr std::size_t group = left_width, group_terms = 16;
#else
constexpr std::size_t group = 48, group_terms = part_terms;
#endif
static_assert(group % left_width == 0 && part_terms % group_terms == 0);

/// Columns as vectors, a row as a term of each.
template <class P>
class ColumnTiles {
    static constexpr std::size_t width = right_width<P>, right_panels = block / width;

  public:
    ColumnTiles(std::span<const double> mean, double anchor)
        : columns_(mean.size()),
          anchor_(anchor),
          mean_(copied(mean)),
          sums_("sums", columns_ * (columns_ + 1) / 2) {}

    const DeviceView<double>& sums() const { return sums_; }
    std::size_t columns() const { return columns_; }
    KOKKOS_FUNCTION std::size_t blocks() const { return pieces(columns_, block); }

    /// For so many rows at a time.
    void make_room(std::size_t rows) {
        rows_ = rows;
        left_.make_room(columns_, rows);
        right_.make_room(columns_, rows);
    }
    std::size_t pieces_to_lay_out() const { return pieces(rows_, part_terms) * blocks(); }

    /// Centres one part of a block of columns of the matrix x.
    template <class T>
    KOKKOS_FUNCTION void lay_out(const T* x, std::size_t piece) const {
        const auto part = piece / blocks(), first = piece % blocks() * block;
        const auto count = less(block, columns_ - first);
        P centred[block] = {};
        for (std::size_t t = 0; t < terms(part); ++t) {
            const T* row = x + (part * part_terms + t) * columns_ + first;
            centre(row, mean_.data() + first, count, centred);
            for (std::size_t j = 0; j < block; j += left_width)
                copy<left_width>(centred + j, left_.at((first + j) / left_width, part, t));
            for (std::size_t j = 0; j < block; j += width)
                copy<width>(centred + j, right_.at((first + j) / width, part, t));
        }
    }

    /// Adds the products of block p with block q.
    KOKKOS_FUNCTION void add_block(std::size_t p, std::size_t q) const {
        BlockSums held;
        for (auto& panels : held)
            for (auto& tile : panels)
                for (auto& row : tile)
                    for (auto& value : row) value = 0;
        const auto end = less(left_panels, pieces(columns_, left_width) - p * left_panels);
        for (std::size_t part = 0; part * part_terms < rows_; ++part)
            for (std::size_t j = 0; j < right_panels; ++j)
                for (std::size_t i = 0; i < end; ++i)
                    if (reaches_diagonal(p * block + i * left_width, q * block + j * width))
                        add_tile(p * left_panels + i, q * right_panels + j, part, held[j][i]);
        for (std::size_t j = 0; j < right_panels; ++j)
            for (std::size_t i = 0; i < end; ++i)
                put(held[j][i], p * block + i * left_width, q * block + j * width);
    }

  private:
    using TileSums = double[left_width][width];
    using BlockSums = TileSums[right_panels][left_panels];

    /// Of a tile's first row and column: whether some of it is on or below the diagonal.
    static KOKKOS_FUNCTION bool reaches_diagonal(std::size_t row, std::size_t column) {
        return row + left_width > column;
    }
    KOKKOS_FUNCTION void add_tile(std::size_t i, std::size_t j, std::size_t part,
                                  TileSums& held) const {
        Tile<P> tile;
        dot_tile(left_.at(i, part), right_.at(j, part), terms(part), tile);
        for (std::size_t a = 0; a < left_width; ++a)
            for (std::size_t b = 0; b < width; ++b) held[a][b] += tile[a][b];
    }
    KOKKOS_FUNCTION void put(const TileSums& tile, std::size_t row, std::size_t column) const {
        const double to_quantum = anchor_;
        for (std::size_t i = 0; i < less(left_width, columns_ - row); ++i) {
            const auto length = row + i + 1;
            double* to = sums_.data() + (length - 1) * length / 2 + column;
            const auto count = less(width, length - less(column, length));
#pragma omp simd
            for (std::size_t j = 0; j < count; ++j) to[j] += (tile[i][j] + to_quantum) - to_quantum;
        }
    }
    KOKKOS_FUNCTION std::size_t terms(std::size_t part) const {
        return less(part_terms, rows_ - part * part_terms);
    }

    std::size_t columns_, rows_ = 0;
    double anchor_;
    DeviceView<double> mean_, sums_;
    TermPanels<P> left_{left_width}, right_{width};
};

/// Rows as vectors on the left, axes on the right, a column as a term of each.
struct AxisTiles {
    static constexpr std::size_t width = right_width<double>;

    std::size_t columns, axes, rows = 0;
    DeviceView<double> mean;
    TermPanels<double> right{width};

    /// The products of some rows of the matrix x, of group p, with all axes, and the rows' squared
    /// distances from the mean, unless null.
    template <class T>
    KOKKOS_FUNCTION void multiply(const T* x, std::size_t p, double* out, double* squares) const {
        const auto count = less(group, rows - p * group);
        const auto tiles = pieces(count, left_width);
        double left[group / left_width][group_terms][left_width] = {}, lengths[group] = {};
        for (std::size_t first = 0; first < columns; first += group_terms) {
            const auto terms = less(group_terms, columns - first);
            for (std::size_t i = 0; i < count; ++i) {
                const T* row = x + (p * group + i) * columns + first;
                centre(row, first, terms, &left[i / left_width][0][i % left_width]);
                if (squares != nullptr) lengths[i] += square(row, first, terms);
            }
            for (std::size_t j = 0; j < pieces(axes, width); ++j)
                for (std::size_t i = 0; i < tiles; ++i) {
                    Tile<double> tile;
                    dot_tile(&left[i][0][0], right.at(j, first / part_terms, first % part_terms),
                             terms, tile);
                    put_tile(tile, p * group + i * left_width, j * width, first == 0, out);
                }
        }
        for (std::size_t i = 0; squares != nullptr && i < count; ++i)
            squares[p * group + i] = lengths[i];
    }
    template <class T>
    KOKKOS_FUNCTION void centre(const T* row, std::size_t first, std::size_t terms,
                                double* to) const {
        for (std::size_t c = 0; c < terms; ++c) to[c * left_width] = row[c] - mean(first + c);
    }
    template <class T>
    KOKKOS_FUNCTION double square(const T* row, std::size_t first, std::size_t terms) const {
        const double* centre = mean.data() + first;
        double sum = 0;
#pragma omp simd reduction(+ : sum)
        for (std::size_t c = 0; c < terms; ++c) sum += (row[c] - centre[c]) * (row[c] - centre[c]);
        return sum;
    }
    KOKKOS_FUNCTION void put_tile(const Tile<double>& tile, std::size_t row, std::size_t axis,
                                  bool is_first, double* out) const {
        for (std::size_t i = 0; i < less(left_width, rows - row); ++i) {
            double* to = out + (row + i) * axes + axis;
            for (std::size_t j = 0; j < less(width, axes - axis); ++j)
                to[j] = is_first ? tile[i][j] : to[j] + tile[i][j];
        }
    }
};

template <class P>
struct TilesOf {
    using Type = ColumnTiles<P>;
};
template <>
struct TilesOf<std::int16_t> {
#if defined(__AVX2__) && !defined(__CUDACC__)
    using Type = RoundedColumnTiles;
#else  // which are faster there
    using Type = ColumnTiles<float>;
#endif
};

template <class Tiles, class T>
void add_rows(Tiles& tiles, std::span<const T> rows) {
    tiles.make_room(rows.size() / tiles.columns());
    const auto from = on_device(rows);
    const auto work = tiles;
    for_each_unit(
        "reduce/lay_out", work.pieces_to_lay_out(),
        KOKKOS_LAMBDA(const std::size_t piece) { work.lay_out(from.data(), piece); });
    const auto blocks = work.blocks();
    for_each_unit(
        "reduce/scatter", blocks * blocks, KOKKOS_LAMBDA(const std::size_t unit) {
            const auto p = unit / blocks, q = unit % blocks;
            if (q <= p) work.add_block(p, q);
        });
}

template <class T>
void multiply_rows(AxisTiles& tiles, std::span<const T> rows, std::span<double> out,
                   std::span<double> squares) {
    if (rows.empty() || out.empty()) return;
    tiles.rows = rows.size() / tiles.columns;
    const auto from = on_device(rows);
    const auto products = room_on_device(out), lengths = room_on_device(squares);
    const auto work = tiles;
    const bool are_wanted = !squares.empty();
    for_each_unit(
        "reduce/project", pieces(work.rows, group), KOKKOS_LAMBDA(const std::size_t p) {
            work.multiply(from.data(), p, products.data(), are_wanted ? lengths.data() : nullptr);
        });
    copy_back(products, out);
    copy_back(lengths, squares);
}

}  // namespace

template <class P>
struct ColumnProducts<P>::State {
    typename TilesOf<P>::Type tiles;
};

template <class P>
ColumnProducts<P>::ColumnProducts(std::span<const double> mean, double anchor)
    : state_(new State{{mean, anchor}}) {}
template <class P>
ColumnProducts<P>::~ColumnProducts() = default;

template <class P>
void ColumnProducts<P>::add(std::span<const float> rows) {
    add_rows(state_->tiles, rows);
}
template <class P>
void ColumnProducts<P>::add(std::span<const double> rows) {
    add_rows(state_->tiles, rows);
}

template <class P>
std::vector<double> ColumnProducts<P>::sums() const {
    std::vector<double> result(state_->tiles.sums().size());
    copy_back(state_->tiles.sums(), std::span<double>(result));
    return result;
}

template class ColumnProducts<std::int16_t>;
template class ColumnProducts<float>;
template class ColumnProducts<double>;

struct RowProducts::State {
    AxisTiles tiles;
};

RowProducts::RowProducts(std::span<const double> mean, std::span<const double> axes)
    : state_(new State{
          {.columns = mean.size(), .axes = axes.size() / mean.size(), .mean = copied(mean)}}) {
    state_->tiles.right.make_room(state_->tiles.axes, mean.size());
    interleave(state_->tiles.right, axes, mean.size());
}
RowProducts::~RowProducts() = default;

void RowProducts::multiply(std::span<const float> rows, std::span<double> out,
                           std::span<double> squares) {
    multiply_rows(state_->tiles, rows, out, squares);
}
void RowProducts::multiply(std::span<const double> rows, std::span<double> out,
                           std::span<double> squares) {
    multiply_rows(state_->tiles, rows, out, squares);
}

}  // namespace nanoatlas::kernels::kokkos
