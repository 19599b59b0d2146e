#include "kernels/onednn/winograd_gradient.hpp"

#include <omp.h>

namespace nanoatlas::kernels::onednn {
namespace {

/// Register tile: rows by three registers, so that rows divide a register of channels.
constexpr int gradient_rows = tile_lanes / 2, gradient_vectors = 3;
constexpr int gradient_columns = gradient_vectors * tile_lanes;
/// Above this many bytes of sums a thread, threads share out positions.
constexpr std::int64_t sum_bytes = 1 << 20;
constexpr std::int64_t most_block_tiles = 192;

/// Sizes of the sums and of what they are summed over.
struct Extent {
    std::int64_t in, out;  ///< channels in whole registers

    explicit Extent(const WinogradTiles& tiles)
        : in(whole_lanes(tiles.input.channels)), out(whole_lanes(tiles.output.channels)) {}

    std::int64_t sums() const { return winograd_positions * in * out; }
    /// Registers in the panel of columns that begins at an output channel.
    int vectors(std::int64_t first_column) const {
        const auto left = (out - first_column) / tile_lanes;
        return static_cast<int>(std::min<std::int64_t>(left, gradient_vectors));
    }
    /// Where the sums of a register tile lie: [position][panel][rows of a tile][row][column].
    std::int64_t sums_at(std::int64_t position, std::int64_t row, std::int64_t column) const {
        const auto width = std::int64_t{vectors(column)} * tile_lanes;
        return (position * out + column) * in + row * width;
    }
};

template <int vectors>
void add_tiles(const float* left, const float* right, std::int64_t tiles, float* sums) {
    add_products<SinglePixel, gradient_rows, vectors>({.left = left,
                                                       .right = right,
                                                       .left_step = tile_lanes,
                                                       .left_run = 0,
                                                       .left_group = 0,
                                                       .right_step = vectors * tile_lanes,
                                                       .steps = tiles,
                                                       .runs = 1,
                                                       .groups = 1},
                                                      sums);
}

/// One thread's part of positions and tiles.
class TileSums {
  public:
    /// rows    of positions, of winograd_side
    /// values  memory for transformed inputs and gradients of a block
    TileSums(const WinogradTiles& tiles, const Part& rows, std::int64_t block_tiles, float* values,
             float* sums, float* bias)
        : tiles_(tiles),
          extent_(tiles),
          first_row_(static_cast<int>(rows.first)),
          last_row_(static_cast<int>(rows.last)),
          inputs_(values),
          gradients_(values + rows.count() * winograd_side * block_tiles * extent_.in),
          sums_(sums),
          bias_(bias) {
        std::fill(sums_ + extent_.sums_at(first_position(), 0, 0),
                  sums_ + extent_.sums_at(last_row_ * winograd_side, 0, 0), 0.0F);
        if (holds_bias()) std::fill_n(bias_, extent_.out, 0.0F);
    }

    void add(const float* x, const float* dy, std::int64_t first_tile, std::int64_t count) {
        first_tile_ = first_tile;
        count_ = count;
        for (std::int64_t i = 0; i < count; ++i) {
            transform_input(x, i);
            transform_gradient(dy, i);
        }
        for (auto p = first_position(); p < last_row_ * winograd_side; ++p) multiply(p);
        if (holds_bias()) add_bias();
    }

  private:
    std::int64_t first_position() const { return std::int64_t{first_row_} * winograd_side; }
    /// The sum of a tile's gradients stands at position (1, 1).
    bool holds_bias() const { return bias_ != nullptr && first_row_ <= 1 && last_row_ > 1; }

    /// [position][in / lanes][tile][lane]
    void transform_input(const float* x, std::int64_t i) const {
        const auto pixels = input_pixels(tiles_, x, first_tile_ + i);
        for (std::int64_t c = 0; c < extent_.in; c += tile_lanes) {
            float* to = inputs_ + c * count_ + i * tile_lanes;
            transform_inputs(pixels, c, tiles_.input.channels, first_row_, last_row_,
                             [&](int row, int column, const TileLanes& value) {
                                 const auto p = (row - first_row_) * winograd_side + column;
                                 store_tile_lanes(value, to + p * count_ * extent_.in);
                             });
        }
    }

    /// [position][panel of columns][tile][column]
    void transform_gradient(const float* dy, std::int64_t i) const {
        const TilePlace place(tiles_, first_tile_ + i);
        const auto pixels = tile_pixels<winograd_outputs>(dy, tiles_.output, place.sample,
                                                          place.row * winograd_outputs,
                                                          place.column * winograd_outputs);
        for (std::int64_t c = 0; c < extent_.out; c += tile_lanes) {
            const auto panel = c / gradient_columns * gradient_columns;
            const auto width = std::int64_t{extent_.vectors(panel)} * tile_lanes;
            float* to = gradients_ + panel * count_ + i * width + (c - panel);
            TileLanes half[winograd_outputs][winograd_side];
#pragma GCC unroll 2
            for (std::size_t r = 0; r < winograd_outputs; ++r) {
                TileLanes e[winograd_outputs];
#pragma GCC unroll 2
                for (std::size_t s = 0; s < winograd_outputs; ++s)
                    e[s] = pixels[r][s] != nullptr
                               ? load_channels(pixels[r][s], c, tiles_.output.channels)
                               : TileLanes{};
#pragma GCC unroll 4
                for (int j = 0; j < winograd_side; ++j)
                    half[r][j] = winograd_gradient(j, e[0], e[1]);
            }
#pragma GCC unroll 4
            for (int row = 0; row < winograd_side; ++row) {
                if (row < first_row_ || row >= last_row_) continue;
#pragma GCC unroll 4
                for (int j = 0; j < winograd_side; ++j, to += count_ * extent_.out)
                    store_tile_lanes(winograd_gradient(row, half[0][j], half[1][j]), to);
            }
        }
    }

    void multiply(std::int64_t position) const {
        const auto own = position - first_position();
        const float* left = inputs_ + own * count_ * extent_.in;
        const float* right = gradients_ + own * count_ * extent_.out;
        for (std::int64_t column = 0; column < extent_.out; column += gradient_columns) {
            const int vectors = extent_.vectors(column);
            const auto add = vectors == 1   ? add_tiles<1>
                             : vectors == 2 ? add_tiles<2>
                                            : add_tiles<3>;
            for (std::int64_t row = 0; row < extent_.in; row += gradient_rows)
                add(left + row / tile_lanes * tile_lanes * count_ + row % tile_lanes,
                    right + column * count_, count_,
                    sums_ + extent_.sums_at(position, row, column));
        }
    }

    void add_bias() const {
        const auto own = winograd_side + 1 - first_position();
        const float* gradients = gradients_ + own * count_ * extent_.out;
        for (std::int64_t column = 0; column < extent_.out; column += gradient_columns) {
            const auto width = std::int64_t{extent_.vectors(column)} * tile_lanes;
            const float* panel = gradients + column * count_;
            for (std::int64_t i = 0; i < count_; ++i)
                for (std::int64_t o = 0; o < width; ++o) bias_[column + o] += panel[i * width + o];
        }
    }

    const WinogradTiles& tiles_;
    Extent extent_;
    int first_row_, last_row_;
    std::int64_t first_tile_ = 0, count_ = 0;
    float *inputs_, *gradients_, *sums_, *bias_;
};

/// Adds up the parts' sums of some input channels and puts out their weights.
class GradientWriter {
  public:
    GradientWriter(const WinogradTiles& tiles, std::int64_t tile_parts, const float* sums,
                   float* weights)
        : tiles_(tiles), extent_(tiles), parts_(tile_parts), sums_(sums), weights_(weights) {}

    void write(std::int64_t input) const {
        for (std::int64_t column = 0; column < extent_.out; column += tile_lanes) {
            TileLanes half[winograd_side][winograd_taps];
            for (int p = 0; p < winograd_side; ++p) {
                TileLanes s[winograd_side];
                for (int q = 0; q < winograd_side; ++q)
                    s[q] = total(p * winograd_side + q, input, column);
                for (int t = 0; t < winograd_taps; ++t)
                    half[p][t] = winograd_weight_gradient(t, s[0], s[1], s[2], s[3]);
            }
            for (int r = 0; r < winograd_taps; ++r)
                for (int t = 0; t < winograd_taps; ++t)
                    put(winograd_weight_gradient(r, half[0][t], half[1][t], half[2][t], half[3][t]),
                        input, column, r * winograd_taps + t);
        }
    }

  private:
    TileLanes total(std::int64_t position, std::int64_t input, std::int64_t column) const {
        const auto panel = column / gradient_columns * gradient_columns;
        const float* at = sums_ + extent_.sums_at(position, input, panel) + (column - panel);
        auto total = load_tile_lanes(at);
        for (std::int64_t part = 1; part < parts_; ++part)
            total += load_tile_lanes(at + part * extent_.sums());
        return total;
    }

    void put(const TileLanes& values, std::int64_t input, std::int64_t column, int tap) const {
        constexpr std::int64_t window = winograd_taps * winograd_taps;
        const auto in = tiles_.input.channels;
        const auto count = std::min<std::int64_t>(tile_lanes, tiles_.output.channels - column);
        for (std::int64_t o = 0; o < count; ++o)
            weights_[((column + o) * in + input) * window + tap] = values[o];
    }

    const WinogradTiles& tiles_;
    Extent extent_;
    std::int64_t parts_;
    const float* sums_;
    float* weights_;
};

/// Floats that a thread's block takes.
std::int64_t block_values(const Extent& extent, std::int64_t block_tiles, std::int64_t row_parts) {
    return winograd_positions / row_parts * block_tiles * (extent.in + extent.out);
}

}  // namespace

WinogradGradient::WinogradGradient(const WinogradTiles& tiles, std::shared_ptr<Engine> engine)
    : tiles_(tiles), engine_(std::move(engine)), threads_(omp_get_max_threads()), row_parts_(1) {
    const Extent extent(tiles_);
    constexpr auto bytes = std::int64_t{sizeof(float)};
    while (row_parts_ < winograd_side && threads_ % (2 * row_parts_) == 0 &&
           extent.sums() * bytes / row_parts_ > sum_bytes)
        row_parts_ *= 2;
    tile_parts_ = threads_ / row_parts_;
    const auto a_part = divide_up(tiles_.count(), tile_parts_);
    block_tiles_ = divide_up(a_part, divide_up(a_part, most_block_tiles));
    engine_->reserve_scratch(bytes * (tile_parts_ * (extent.sums() + extent.out) +
                                      threads_ * block_values(extent, block_tiles_, row_parts_)));
}

void WinogradGradient::run(const float* x, const float* dy, float* dweights, float* dbias) const {
    const Extent extent(tiles_);
    auto* sums = static_cast<float*>(engine_->scratch());
    float* biases = sums + tile_parts_ * extent.sums();
    float* values = biases + tile_parts_ * extent.out;
    const auto add_part = [&](std::int64_t part) {
        const auto tile_part = part / row_parts_;
        const Part tiles(tiles_.count(), tile_part, tile_parts_);
        TileSums added(tiles_, Part(winograd_side, part % row_parts_, row_parts_), block_tiles_,
                       values + part * block_values(extent, block_tiles_, row_parts_),
                       sums + tile_part * extent.sums(),
                       dbias != nullptr ? biases + tile_part * extent.out : nullptr);
        for (auto first = tiles.first; first < tiles.last; first += block_tiles_)
            added.add(x, dy, first, std::min(block_tiles_, tiles.last - first));
    };
    const GradientWriter writer(tiles_, tile_parts_, sums, dweights);
#pragma omp parallel num_threads(threads_)
    {
        // By parts, not by the thread's number: fewer threads than were planned may come.
#pragma omp for schedule(static, 1)
        for (int part = 0; part < threads_; ++part) add_part(part);
#pragma omp for schedule(static)
        for (std::int64_t input = 0; input < tiles_.input.channels; ++input) writer.write(input);
    }
    if (dbias == nullptr) return;
    std::copy_n(biases, tiles_.output.channels, dbias);
    for (std::int64_t part = 1; part < tile_parts_; ++part)
        for (std::int64_t o = 0; o < tiles_.output.channels; ++o)
            dbias[o] += biases[part * extent.out + o];
}

}  // namespace nanoatlas::kernels::onednn
