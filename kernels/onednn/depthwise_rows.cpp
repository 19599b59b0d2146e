#include "kernels/onednn/depthwise_rows.hpp"

#include <array>
#include <cstring>
#include <utility>

#include "kernels/onednn/depthwise_axes.hpp"
#include "kernels/onednn/depthwise_tiles.hpp"

namespace nanoatlas::kernels::onednn {
namespace {

/// Output pixels whose sums are held at once.
constexpr int held_pixels = tile_lanes == 16 ? 16 : 8;
constexpr int most_taps = 7;

/// What a run of outputs is made of, and where it goes.
template <class T>
struct Run {
    const float* x;  ///< where the window of the first output begins
    std::int64_t row_step;
    std::int64_t rows;     ///< of the window
    const float* weights;  ///< of its first tap
    std::int64_t tap_step, weight_row_step;
    const float* bias;
    T* y;
    std::int64_t pixel_step;
    std::int64_t pixels, channels;  ///< to be put out
};

/// held_pixels outputs; each value of x is loaded once for all taps that it meets.
template <int taps, int stride, class T>
__attribute__((noinline)) void correlate_run(const Run<T>& run) {
    TileLanes held[held_pixels];
    for (auto& each : held) each = load_tile_lanes(run.bias);
    const float* x = run.x;
    const float* weights = run.weights;
    for (std::int64_t row = 0; row < run.rows; ++row) {
        TileLanes weight[taps];
#pragma GCC unroll 7
        for (int tap = 0; tap < taps; ++tap)
            weight[tap] = load_tile_lanes(weights + tap * run.tap_step);
#pragma GCC unroll 48
        for (int i = 0; i < (held_pixels - 1) * stride + taps; ++i) {
            const auto value = load_tile_lanes(x + i * tile_lanes);
#pragma GCC unroll 7
            for (int tap = 0; tap < taps; ++tap)
                if (i >= tap && (i - tap) % stride == 0 && (i - tap) / stride < held_pixels)
                    held[(i - tap) / stride] += value * weight[tap];
        }
        x += run.row_step;
        weights += run.weight_row_step;
    }
    if (sizeof(T) == sizeof(float) && run.channels == tile_lanes) {
#pragma GCC unroll 16
        for (int i = 0; i < held_pixels; ++i)
            if (i < run.pixels) std::memcpy(run.y + i * run.pixel_step, &held[i], sizeof held[i]);
        return;
    }
    float sums[held_pixels][tile_lanes];
    std::memcpy(sums, held, sizeof sums);
    for (std::int64_t i = 0; i < run.pixels; ++i)
        for (std::int64_t c = 0; c < run.channels; ++c)
            store(sums[i][c], run.y[i * run.pixel_step + c]);
}

template <class T>
using RunFunction = void (*)(const Run<T>&);

/// For a number of taps in [1, most_taps] and a stride of 1 or 2.
template <class T>
RunFunction<T> run_function(std::int64_t taps, std::int64_t stride) {
    constexpr auto table = []<int... i>(std::integer_sequence<int, i...>) {
        return std::array<RunFunction<T>, sizeof...(i)>{correlate_run<i / 2 + 1, i % 2 + 1, T>...};
    }
    (std::make_integer_sequence<int, 2 * most_taps>{});
    return table[static_cast<std::size_t>(2 * (taps - 1) + stride - 1)];
}

/// Tensors [parts, channels] as [block][parts][tile_lanes].
std::vector<float> by_blocks(std::span<const float> values, std::int64_t parts,
                             std::int64_t channels) {
    const auto blocks = (channels + tile_lanes - 1) / tile_lanes;
    std::vector<float> found(static_cast<std::size_t>(blocks * parts * tile_lanes), 0.0F);
    if (values.empty()) return found;
    for (std::int64_t block = 0; block < blocks; ++block)
        for (std::int64_t part = 0; part < parts; ++part)
            std::copy_n(values.begin() + part * channels + block * tile_lanes,
                        block_channels(channels, block),
                        found.begin() + (block * parts + part) * tile_lanes);
    return found;
}

std::int64_t whole_runs(std::int64_t pixels) {
    return (pixels + held_pixels - 1) / held_pixels * held_pixels;
}

/// Correlates the images x with a window; which taps an output meets is told by the axes.
template <class T>
class Correlator {
  public:
    Correlator(Axis rows, Axis columns, const ConvolutionShape& shape,
               std::span<const float> weights, std::span<const float> bias)
        : rows_(std::move(rows)),
          columns_(std::move(columns)),
          samples_(shape.input.samples),
          channels_(shape.input.channels),
          kernel_width_(shape.window.width),
          taps_(shape.window.height * shape.window.width),
          weights_(by_blocks(weights, taps_, channels_)),
          bias_(by_blocks(bias, 1, channels_)) {}

    void run(const T* x, T* y) const {
        const ImageShape input{samples_, rows_.input, columns_.input, channels_};
        const auto left = std::max<std::int64_t>(columns_.before(), 0);
        const auto columns = columns_.reach(whole_runs(columns_.most_outputs())) +
                             std::max<std::int64_t>(-columns_.before(), 0);
        const DepthwiseTiles tiles(samples_, rows_.most_outputs(), channels_,
                                   rows_a_tile(rows_, columns, channels_));
#pragma omp parallel
        {
            PaddedTile padded(tiles.most_blocks(), rows_.reach(tiles.most_rows()), columns);
#pragma omp for schedule(static)
            for (std::int64_t i = 0; i < tiles.count(); ++i) {
                const auto tile = tiles[i];
                padded.copy(x, input, tile, tile.first_row * rows_.stride - rows_.before(),
                            rows_.reach(tile.last_row - tile.first_row), left);
                for (auto block = tile.first_block; block < tile.last_block; ++block)
                    for (auto row = tile.first_row; row < tile.last_row; ++row)
                        for (const auto& phase : rows_.phases)
                            if (row < phase.outputs)
                                put_row(padded, tile, block, row, phase, left, y);
            }
        }
    }

  private:
    void put_row(const PaddedTile& padded, const DepthwiseTile& tile, std::int64_t block,
                 std::int64_t row, const Phase& by, std::int64_t left, T* y) const {
        const auto begin = (row - tile.first_row) * rows_.stride + rows_.before() - by.before;
        const float* weights = weights_.data() + block * taps_ * tile_lanes;
        T* line =
            y + block * tile_lanes +
            (tile.sample * rows_.output + by.first + row * by.step) * columns_.output * channels_;
        for (const auto& across : columns_.phases) {
            const auto function = run_function<T>(across.taps, columns_.stride);
            const auto tap = by.first_tap * kernel_width_ + across.first_tap;
            Run<T> run{.x = nullptr,
                       .row_step = padded.row_step(),
                       .rows = by.taps,
                       .weights = weights + tap * tile_lanes,
                       .tap_step = across.tap_step * tile_lanes,
                       .weight_row_step = by.tap_step * kernel_width_ * tile_lanes,
                       .bias = bias_.data() + block * tile_lanes,
                       .y = nullptr,
                       .pixel_step = across.step * channels_,
                       .pixels = 0,
                       .channels = block_channels(channels_, block)};
            for (std::int64_t first = 0; first < across.outputs; first += held_pixels) {
                run.x = padded.at(block - tile.first_block, begin,
                                  first * columns_.stride + left - across.before);
                run.y = line + (across.first + first * across.step) * channels_;
                run.pixels = std::min<std::int64_t>(held_pixels, across.outputs - first);
                function(run);
            }
        }
    }

    Axis rows_, columns_;
    std::int64_t samples_, channels_, kernel_width_, taps_;
    std::vector<float> weights_, bias_;
};

}  // namespace

bool suits_depthwise_rows(const ConvolutionShape& shape) {
    const auto& w = shape.window;
    return w.width <= most_taps && w.stride_y <= 2 && w.stride_x <= 2 && w.height >= w.stride_y &&
           w.width >= w.stride_x && w.dilation_y == 1 && w.dilation_x == 1;
}

template <class T>
void correlate_depthwise(const ConvolutionShape& shape, const T* x, std::span<const float> weights,
                         std::span<const float> bias, T* y) {
    const auto& w = shape.window;
    Correlator<T>(
        Axis::forward(shape.input.height, shape.output.height, w.height, w.stride_y, w.top),
        Axis::forward(shape.input.width, shape.output.width, w.width, w.stride_x, w.left), shape,
        weights, bias)
        .run(x, y);
}

template <class T>
void spread_depthwise(const ConvolutionShape& shape, const T* dy, std::span<const float> weights,
                      T* dx) {
    const auto& w = shape.window;
    Correlator<T>(
        Axis::backward(shape.input.height, shape.output.height, w.height, w.stride_y, w.top),
        Axis::backward(shape.input.width, shape.output.width, w.width, w.stride_x, w.left), shape,
        weights, {})
        .run(dy, dx);
}

#define NANOATLAS_INSTANTIATE(T)                                                                 \
    template void correlate_depthwise(const ConvolutionShape&, const T*, std::span<const float>, \
                                      std::span<const float>, T*);                               \
    template void spread_depthwise(const ConvolutionShape&, const T*, std::span<const float>, T*);

NANOATLAS_INSTANTIATE(float)
NANOATLAS_INSTANTIATE(BFloat16)

}  // namespace nanoatlas::kernels::onednn
