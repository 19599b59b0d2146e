#include "kernels/kokkos/axis_scatter.hpp"

#include <Kokkos_Core.hpp>

#include "kernels/kokkos/term_panels.hpp"

namespace nanoatlas::kernels::kokkos {
namespace {

using namespace term_panels;

constexpr std::size_t width = right_width<float>, right_panels = block / width;
// Rows whose scores a unit of work finds together.
#if defined(__CUDACC__)
constexpr std::size_t scored_rows = block;
#else
constexpr std::size_t scored_rows = 48;
#endif
static_assert(scored_rows % left_width == 0);

/// Sums of tiles over parts of terms: of so many vectors on the left with a block on the right.
template <std::size_t left_count>
struct HeldTiles {
    double sums[left_count / left_width][right_panels][left_width][width] = {};

    /// left: interleaved, [left_count / left_width, part_terms, left_width]
    KOKKOS_FUNCTION void add(const float* left, std::size_t tiles, const TermPanels<float>& right,
                             std::size_t first_panel, std::size_t panels, std::size_t part,
                             std::size_t terms) {
        for (std::size_t j = 0; j < panels; ++j)
            for (std::size_t i = 0; i < tiles; ++i) {
                Tile<float> tile;
                dot_tile(left + i * part_terms * left_width, right.at(first_panel + j, part), terms,
                         tile);
                for (std::size_t a = 0; a < left_width; ++a)
                    for (std::size_t b = 0; b < width; ++b) sums[i][j][a][b] += tile[a][b];
            }
    }
    /// Of the left vector and the right.
    KOKKOS_FUNCTION double at(std::size_t i, std::size_t j) const {
        return sums[i / left_width][j / width][i % left_width][j % width];
    }
};

struct Work {
    std::size_t columns, axes, rows = 0;
    double anchor;
    DeviceView<double> mean, sums;
    /// Axes as vectors, a column as a term of each; their scores, a row as a term of each.
    TermPanels<float> directions{width}, scores{width};

    /// Axes are taken a block at a time.
    KOKKOS_FUNCTION std::size_t axis_blocks() const { return pieces(axes, block); }
    KOKKOS_FUNCTION std::size_t axes_of(std::size_t b) const {
        return less(block, axes - b * block);
    }

    /// The scores of run p of the rows x along a block of axes.
    template <class T>
    KOKKOS_FUNCTION void score(const T* x, std::size_t p, std::size_t b) const {
        const auto count = less(scored_rows, rows - p * scored_rows);
        float left[scored_rows / left_width][part_terms][left_width] = {}, centred[part_terms];
        HeldTiles<scored_rows> held;
        for (std::size_t part = 0; part * part_terms < columns; ++part) {
            const auto first = part * part_terms, terms = less(part_terms, columns - first);
            for (std::size_t i = 0; i < count; ++i) {
                const T* row = x + (p * scored_rows + i) * columns + first;
                float* to = &left[i / left_width][0][i % left_width];
                centre(row, mean.data() + first, terms, centred);
                for (std::size_t c = 0; c < terms; ++c) to[c * left_width] = centred[c];
            }
            held.add(&left[0][0][0], pieces(count, left_width), directions, b * right_panels,
                     pieces(axes_of(b), width), part, terms);
        }
        for (std::size_t i = 0; i < count; ++i)
            for (std::size_t j = 0; j < axes_of(b); ++j)
                scores.of(b * block + j, p * scored_rows + i) = static_cast<float>(held.at(i, j));
    }

    /// Adds the rows x, times their scores along a block of axes, in block q of the columns.
    template <class T>
    KOKKOS_FUNCTION void add_back(const T* x, std::size_t q, std::size_t b) const {
        const auto first = q * block, count = less(block, columns - first);
        float left[left_panels][part_terms][left_width], centred[block] = {};
        HeldTiles<block> held;
        for (std::size_t part = 0; part * part_terms < rows; ++part) {
            const auto terms = less(part_terms, rows - part * part_terms);
            for (std::size_t t = 0; t < terms; ++t) {
                const T* row = x + (part * part_terms + t) * columns + first;
                centre(row, mean.data() + first, count, centred);
                for (std::size_t j = 0; j < left_panels; ++j)
                    copy<left_width>(centred + j * left_width, left[j][t]);
            }
            held.add(&left[0][0][0], pieces(count, left_width), scores, b * right_panels,
                     pieces(axes_of(b), width), part, terms);
        }
        for (std::size_t j = 0; j < axes_of(b); ++j)
            for (std::size_t i = 0; i < count; ++i)
                sums((b * block + j) * columns + first + i) += (held.at(i, j) + anchor) - anchor;
    }
};

template <class T>
void add_rows(Work& to, std::span<const T> rows) {
    if (rows.empty()) return;
    to.rows = rows.size() / to.columns;
    to.scores.make_room(to.axes, to.rows);
    const auto from = on_device(rows);
    const auto work = to;
    const auto blocks = work.axis_blocks();
    for_each_unit(
        "reduce/score", pieces(work.rows, scored_rows) * blocks,
        KOKKOS_LAMBDA(const std::size_t unit) {
            work.score(from.data(), unit / blocks, unit % blocks);
        });
    for_each_unit(
        "reduce/add_back", pieces(work.columns, block) * blocks,
        KOKKOS_LAMBDA(const std::size_t unit) {
            work.add_back(from.data(), unit / blocks, unit % blocks);
        });
}

}  // namespace

struct AxisScatter::State {
    Work work;
};

AxisScatter::AxisScatter(std::span<const double> mean, std::span<const double> axes, double anchor)
    : state_(new State{{.columns = mean.size(),
                        .axes = axes.size() / mean.size(),
                        .anchor = anchor,
                        .mean = copied(mean),
                        .sums = DeviceView<double>("sums", axes.size())}}) {
    state_->work.directions.make_room(state_->work.axes, mean.size());
    interleave(state_->work.directions, axes, mean.size());
}
AxisScatter::~AxisScatter() = default;

void AxisScatter::add(std::span<const float> rows) {
    add_rows(state_->work, rows);
}
void AxisScatter::add(std::span<const double> rows) {
    add_rows(state_->work, rows);
}

std::vector<double> AxisScatter::sums() const {
    std::vector<double> result(state_->work.sums.size());
    copy_back(state_->work.sums, std::span<double>(result));
    return result;
}

}  // namespace nanoatlas::kernels::kokkos
