#include "kernels/onednn/winograd_product.hpp"

#include <omp.h>

namespace nanoatlas::kernels::onednn {
namespace {

/// Transformed values of a block, before and after the products [bytes].
constexpr std::int64_t block_bytes = 512 * 1024;
/// Weights are read once a block: fewer groups would read them too often.
constexpr std::int64_t least_block_groups = 8;

/// sums [tile_rows, stride] = sum over k of left[row, k] * right[k, column].
/// left   [steps / tile_lanes][tile_rows][tile_lanes]
/// right  [steps][vectors * tile_lanes]
template <int vectors>
__attribute__((noinline)) void multiply(const float* left, const float* right, std::int64_t steps,
                                        float* sums, std::int64_t stride) {
    TileLanes held[tile_rows][vectors];
#pragma GCC unroll 12
    for (auto& row : held)
#pragma GCC unroll 2
        for (auto& sum : row) sum = TileLanes{};
    for (std::int64_t step = 0; step < steps; step += tile_lanes) {
#pragma GCC unroll 4
        for (int k = 0; k < tile_lanes; ++k) {
            TileLanes columns[vectors];
            for (int v = 0; v < vectors; ++v) columns[v] = load_tile_lanes(right + v * tile_lanes);
#pragma GCC unroll 12
            for (int row = 0; row < tile_rows; ++row)
#pragma GCC unroll 2
                for (int v = 0; v < vectors; ++v)
                    held[row][v] += left[row * tile_lanes + k] * columns[v];
            right += vectors * tile_lanes;
        }
        left += tile_rows * tile_lanes;
    }
#pragma GCC unroll 12
    for (int row = 0; row < tile_rows; ++row)
#pragma GCC unroll 2
        for (int v = 0; v < vectors; ++v)
            store_tile_lanes(held[row][v], sums + row * stride + v * tile_lanes);
}

TileLanes activate(const TileLanes& values, Activation activation) {
    if (activation == Activation::none) return values;
    const TileLanes zero{}, six = zero + 6.0F;
    const TileLanes positive = values < zero ? zero : values;  // NaN stays NaN
    if (activation == Activation::relu) return positive;
    return positive > six ? six : positive;
}

/// Some groups of tiles on their way through.
class Block {
  public:
    /// values  memory for the transformed inputs and products of that many groups
    Block(const WinogradTiles& tiles, std::int64_t first_group, std::int64_t groups, float* values)
        : tiles_(tiles),
          first_tile_(first_group * tile_rows),
          groups_(groups),
          in_lanes_(whole_lanes(tiles.input.channels)),
          out_lanes_(whole_lanes(tiles.output.channels)),
          inputs_(values),
          products_(values + winograd_positions * groups * tile_rows * in_lanes_) {}

    /// [position][group][in / lanes][row][lane]
    void transform(const float* x) const {
        const auto position_step = groups_ * tile_rows * in_lanes_;
        for (std::int64_t i = 0; i < groups_ * tile_rows; ++i) {
            const auto pixels = input_pixels(tiles_, x, first_tile_ + i);
            float* to =
                inputs_ + i / tile_rows * tile_rows * in_lanes_ + i % tile_rows * tile_lanes;
            for (std::int64_t c = 0; c < in_lanes_; c += tile_lanes)
                transform_inputs(pixels, c, tiles_.input.channels, 0, winograd_side,
                                 [&](int row, int column, const TileLanes& value) {
                                     store_tile_lanes(
                                         value, to + c * tile_rows +
                                                    (row * winograd_side + column) * position_step);
                                 });
        }
    }

    /// [position][group][row][out]
    void multiply_by(const float* weights) const {
        for (std::int64_t p = 0; p < winograd_positions; ++p)
            for (std::int64_t c = 0; c < out_lanes_; c += tile_columns) {
                const bool narrow = c + tile_lanes == out_lanes_;
                const float* right = weights + (p * out_lanes_ + c) * in_lanes_;
                for (std::int64_t g = 0; g < groups_; ++g) {
                    const auto group = (p * groups_ + g) * tile_rows;
                    (narrow ? multiply<1>
                            : multiply<tile_vectors>)(inputs_ + group * in_lanes_, right, in_lanes_,
                                                      products_ + group * out_lanes_ + c,
                                                      out_lanes_);
                }
            }
    }

    void put_out(const WinogradEpilogue& epilogue, float* y) const {
        const auto last = std::min(groups_ * tile_rows, tiles_.count() - first_tile_);
        for (std::int64_t i = 0; i < last; ++i) put_out_tile(i, epilogue, y);
    }

  private:
    void put_out_tile(std::int64_t i, const WinogradEpilogue& epilogue, float* y) const {
        const auto& shape = tiles_.output;
        const TilePlace place(tiles_, first_tile_ + i);
        const auto row = place.row * winograd_outputs, column = place.column * winograd_outputs;
        const auto rows = std::min<std::int64_t>(winograd_outputs, shape.height - row);
        const auto columns = std::min<std::int64_t>(winograd_outputs, shape.width - column);
        const auto pixel = (place.sample * shape.height + row) * shape.width + column;
        for (std::int64_t c = 0; c < out_lanes_; c += tile_lanes) {
            TileLanes sums[winograd_outputs][winograd_outputs];
            transform_sums(products_ + i * out_lanes_ + c, sums);
            const TileLanes bias = epilogue.bias != nullptr
                                       ? load_channels(epilogue.bias, c, shape.channels)
                                       : TileLanes{};
            for (std::int64_t r = 0; r < rows; ++r)
                for (std::int64_t s = 0; s < columns; ++s) {
                    const auto at = (pixel + r * shape.width + s) * shape.channels;
                    auto sum = sums[r][s] + bias;
                    if (epilogue.addend != nullptr)
                        sum += load_channels(epilogue.addend + at, c, shape.channels);
                    store_channels(activate(sum, epilogue.activation), y + at, c, shape.channels);
                }
        }
    }

    /// A^T m A
    void transform_sums(const float* products,
                        TileLanes (&sums)[winograd_outputs][winograd_outputs]) const {
        const auto position_step = groups_ * tile_rows * out_lanes_;
        TileLanes half[winograd_side][winograd_outputs];

#pragma GCC unroll 4
        for (int i = 0; i < winograd_side; ++i) {
            TileLanes m[winograd_side];

#pragma GCC unroll 4
            for (int j = 0; j < winograd_side; ++j)
                m[j] = load_tile_lanes(products + (i * winograd_side + j) * position_step);

#pragma GCC unroll 4
            for (int s = 0; s < winograd_outputs; ++s)
                half[i][s] = winograd_output(s, m[0], m[1], m[2], m[3]);
        }

#pragma GCC unroll 4
        for (int r = 0; r < winograd_outputs; ++r)

#pragma GCC unroll 4
            for (int s = 0; s < winograd_outputs; ++s)
                sums[r][s] = winograd_output(r, half[0][s], half[1][s], half[2][s], half[3][s]);
    }

    const WinogradTiles& tiles_;
    std::int64_t first_tile_, groups_, in_lanes_, out_lanes_;
    float *inputs_, *products_;
};

/// The 3x3 weights between an input channel and tile_lanes output channels, transformed.
class WeightReader {
  public:
    WeightReader(const WinogradTiles& tiles, const float* weights, WinogradDirection direction)
        : weights_(weights),
          backward_(direction == WinogradDirection::backward),
          in_(tiles.input.channels),
          out_(tiles.output.channels) {}

    /// u  [position][...], of the output channels from o on
    void transform(std::int64_t i, std::int64_t o, float* u, std::int64_t position_step) const {
        TileLanes half[winograd_side][winograd_taps];
        for (int s = 0; s < winograd_taps; ++s) {
            TileLanes g[winograd_taps];
            for (int r = 0; r < winograd_taps; ++r) g[r] = tap(i, o, r, s);
            for (int p = 0; p < winograd_side; ++p)
                half[p][s] = winograd_weight(p, g[0], g[1], g[2]);
        }
        for (int p = 0; p < winograd_side; ++p)
            for (int q = 0; q < winograd_side; ++q)
                store_tile_lanes(winograd_weight(q, half[p][0], half[p][1], half[p][2]),
                                 u + (p * winograd_side + q) * position_step);
    }

  private:
    TileLanes tap(std::int64_t i, std::int64_t o, int r, int s) const {
        constexpr std::int64_t window = winograd_taps * winograd_taps;
        std::array<float, tile_lanes> values{};
        if (i >= in_) return load_tile_lanes(values.data());
        const auto place = r * winograd_taps + s;
        const auto first = backward_ ? (i * out_ + o) * window + window - 1 - place
                                     : (o * in_ + i) * window + place;
        const auto step = backward_ ? window : in_ * window;
        const auto count = std::min<std::int64_t>(tile_lanes, out_ - o);
        for (std::int64_t lane = 0; lane < count; ++lane)
            values[static_cast<std::size_t>(lane)] = weights_[first + lane * step];
        return load_tile_lanes(values.data());
    }

    const float* weights_;
    bool backward_;
    std::int64_t in_, out_;
};

}  // namespace

WinogradProduct::WinogradProduct(const WinogradTiles& tiles, std::shared_ptr<Engine> engine)
    : tiles_(tiles),
      engine_(std::move(engine)),
      threads_(omp_get_max_threads()),
      groups_(divide_up(tiles.count(), tile_rows)) {
    const auto group_values = winograd_positions * tile_rows * (input_lanes() + output_lanes()) *
                              std::int64_t{sizeof(float)};
    const auto fitting = std::max(block_bytes / group_values, least_block_groups);
    const auto a_thread = divide_up(groups_, threads_);
    block_groups_ = divide_up(a_thread, divide_up(a_thread, fitting));
    engine_->reserve_scratch(threads_ * block_values() * std::int64_t{sizeof(float)});
}

void WinogradProduct::set_weights(const float* weights, WinogradDirection direction) {
    const auto in = input_lanes(), out = output_lanes();
    if (!weights_)
        weights_ = allocate_aligned(winograd_positions * in * out * std::int64_t{sizeof(float)});
    auto* packed = static_cast<float*>(weights_.get());
    const WeightReader reader(tiles_, weights, direction);
#pragma omp parallel for schedule(static)
    for (std::int64_t panel = 0; panel < divide_up(out, tile_columns); ++panel) {
        const auto first = panel * tile_columns;
        const auto width = std::min<std::int64_t>(tile_columns, out - first);
        for (std::int64_t i = 0; i < in; ++i)
            for (std::int64_t o = 0; o < width; o += tile_lanes)
                reader.transform(i, first + o, packed + first * in + i * width + o, in * out);
    }
}

void WinogradProduct::run(const float* x, const WinogradEpilogue& epilogue, float* y) {
    auto* scratch = static_cast<float*>(engine_->scratch());
    const auto* weights = static_cast<const float*>(weights_.get());
#pragma omp parallel for schedule(static, 1) num_threads(threads_)
    for (int part = 0; part < threads_; ++part) {
        const Part groups(groups_, part, threads_);
        for (auto first = groups.first; first < groups.last; first += block_groups_) {
            const Block block(tiles_, first, std::min(block_groups_, groups.last - first),
                              scratch + part * block_values());
            block.transform(x);
            block.multiply_by(weights);
            block.put_out(epilogue, y);
        }
    }
}

}  // namespace nanoatlas::kernels::onednn
