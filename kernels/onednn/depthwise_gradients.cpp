// Gradients of depthwise convolutions' weights: a tile's sums for some rows of the window stay in
// registers.
#include <omp.h>

#include <array>
#include <cstring>
#include <utility>

#include "kernels/onednn/depthwise_axes.hpp"
#include "kernels/onednn/depthwise_rows.hpp"
#include "kernels/onednn/depthwise_tiles.hpp"

namespace nanoatlas::kernels::onednn {
namespace {

constexpr int most_taps = 7, most_rows = 4;
/// Rows of a window of so many columns whose sums are held at once, beside a gradient.
constexpr int held_rows(int taps) {
    return std::min(most_rows, (tile_lanes == 16 ? 28 : 12) / taps);
}

/// Pixels of a block of channels whose products are added up.
struct Products {
    const float* x;  ///< where the window of the first output begins, at the first held row
    std::int64_t window_row, next_row;  ///< in x: between the window's rows, between outputs' rows
    const float* dy;                    ///< adjacent
    std::int64_t rows, columns;
};

/// sums [rows, taps, tile_lanes] += products
template <int rows, int taps, int stride>
__attribute__((noinline)) void add_products(const Products& by, float* sums) {
    TileLanes held[rows][taps] = {};
    const float* dy = by.dy;
    for (std::int64_t row = 0; row < by.rows; ++row) {
        const float* x = by.x + row * by.next_row;
        for (std::int64_t i = 0; i < by.columns; ++i, x += stride * tile_lanes, dy += tile_lanes) {
            const auto gradient = load_tile_lanes(dy);
#pragma GCC unroll 4
            for (int r = 0; r < rows; ++r)
#pragma GCC unroll 7
                for (int tap = 0; tap < taps; ++tap)
                    held[r][tap] +=
                        load_tile_lanes(x + r * by.window_row + tap * tile_lanes) * gradient;
        }
    }
#pragma GCC unroll 4
    for (int r = 0; r < rows; ++r)
#pragma GCC unroll 7
        for (int tap = 0; tap < taps; ++tap) {
            float* to = sums + (r * taps + tap) * tile_lanes;
            const TileLanes sum = load_tile_lanes(to) + held[r][tap];
            std::memcpy(to, &sum, sizeof sum);
        }
}

using Function = void (*)(const Products&, float*);

template <int rows, int taps, int stride>
constexpr Function function_of() {
    if constexpr (rows <= held_rows(taps))
        return add_products<rows, taps, stride>;
    else
        return nullptr;
}

/// For a number of rows in [1, held_rows(taps)], of taps in [1, most_taps], a stride of 1 or 2.
Function products_function(std::int64_t rows, std::int64_t taps, std::int64_t stride) {
    constexpr auto table = []<int... i>(std::integer_sequence<int, i...>) {
        return std::array<Function, sizeof...(i)>{
            function_of<i / 2 / most_taps + 1, i / 2 % most_taps + 1, i % 2 + 1>()...};
    }
    (std::make_integer_sequence<int, 2 * most_taps * most_rows>{});
    return table[static_cast<std::size_t>(((rows - 1) * most_taps + taps - 1) * 2 + stride - 1)];
}

/// One thread's sums [block][taps of the window, bias][tile_lanes].
template <class T>
class GradientSums {
  public:
    GradientSums(const ConvolutionShape& shape, const DepthwiseTiles& tiles)
        : shape_(shape),
          taps_(shape.window.height * shape.window.width),
          x_(tiles.most_blocks(),
             (tiles.most_rows() - 1) * shape.window.stride_y + shape.window.height,
             (shape.output.width - 1) * shape.window.stride_x + shape.window.width),
          dy_(tiles.most_blocks(), tiles.most_rows(), shape.output.width),
          sums_(static_cast<std::size_t>(tiles.blocks() * (taps_ + 1) * tile_lanes), 0.0F) {}

    void add(const T* x, const T* dy, const DepthwiseTile& tile) {
        const auto& w = shape_.window;
        const auto rows = tile.last_row - tile.first_row;
        x_.copy(x, shape_.input, tile, tile.first_row * w.stride_y - w.top,
                (rows - 1) * w.stride_y + w.height, w.left);
        dy_.copy(dy, shape_.output, tile, tile.first_row, rows, 0);
        for (auto block = tile.first_block; block < tile.last_block; ++block) {
            float* sums = sums_.data() + block * (taps_ + 1) * tile_lanes;
            add_window(block - tile.first_block, rows, sums);
            if (shape_.bias) add_bias(block - tile.first_block, rows, sums + taps_ * tile_lanes);
        }
    }

    const std::vector<float>& sums() const { return sums_; }

  private:
    void add_window(std::int64_t block, std::int64_t rows, float* sums) const {
        const auto& w = shape_.window;
        const std::int64_t most = held_rows(static_cast<int>(w.width));
        for (std::int64_t first = 0; first < w.height; first += most) {
            const auto held = std::min(most, w.height - first);
            products_function(held, w.width, w.stride_x)({.x = x_.at(block, first, 0),
                                                          .window_row = x_.row_step(),
                                                          .next_row = w.stride_y * x_.row_step(),
                                                          .dy = dy_.at(block, 0, 0),
                                                          .rows = rows,
                                                          .columns = shape_.output.width},
                                                         sums + first * w.width * tile_lanes);
        }
    }
    void add_bias(std::int64_t block, std::int64_t rows, float* bias) const {
        TileLanes sum{};
        for (std::int64_t pixel = 0; pixel < rows * shape_.output.width; ++pixel)
            sum += load_tile_lanes(dy_.at(block, 0, pixel));
        for (std::int64_t c = 0; c < tile_lanes; ++c) bias[c] += sum[c];
    }

    const ConvolutionShape& shape_;
    std::int64_t taps_;
    PaddedTile x_, dy_;
    std::vector<float> sums_;
};

}  // namespace

template <class T>
std::vector<float> sum_depthwise_gradients(const ConvolutionShape& shape, const T* x, const T* dy) {
    const auto& w = shape.window;
    const auto rows =
        Axis::forward(shape.input.height, shape.output.height, w.height, w.stride_y, w.top);
    const auto columns = (shape.output.width - 1) * w.stride_x + w.width;
    const DepthwiseTiles tiles(shape.input.samples, shape.output.height, shape.input.channels,
                               rows_a_tile(rows, columns, shape.input.channels));
    std::vector<std::vector<float>> partial(static_cast<std::size_t>(omp_get_max_threads()));
#pragma omp parallel
    {
        GradientSums<T> own(shape, tiles);
#pragma omp for schedule(static)
        for (std::int64_t i = 0; i < tiles.count(); ++i) own.add(x, dy, tiles[i]);
        partial[static_cast<std::size_t>(omp_get_thread_num())] = own.sums();
    }
    for (std::size_t thread = 1; thread < partial.size(); ++thread)
        for (std::size_t i = 0; i < partial[thread].size(); ++i)
            partial[0][i] += partial[thread][i];
    const auto channels = shape.input.channels, parts = w.height * w.width + 1;
    std::vector<float> found(static_cast<std::size_t>(parts * channels));
    for (std::int64_t part = 0; part < parts; ++part)
        for (std::int64_t c = 0; c < channels; ++c)
            found[static_cast<std::size_t>(part * channels + c)] =
                partial[0][static_cast<std::size_t>((c / tile_lanes * parts + part) * tile_lanes +
                                                    c % tile_lanes)];
    return found;
}

template std::vector<float> sum_depthwise_gradients(const ConvolutionShape&, const float*,
                                                    const float*);
template std::vector<float> sum_depthwise_gradients(const ConvolutionShape&, const BFloat16*,
                                                    const BFloat16*);

}  // namespace nanoatlas::kernels::onednn
