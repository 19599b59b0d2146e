#include "kernels/onednn/weight_gradient_plan.hpp"

#include <omp.h>

namespace nanoatlas::kernels::onednn {
namespace {

/// Pixels whose panels are packed at once; a panel of as many takes half of the first cache.
constexpr std::int64_t block_pixels = tile_lanes == 8 ? 256 : 192;
/// Above this many bytes of results a thread, threads share out the output channels.
constexpr std::int64_t result_bytes = 1 << 20;

bool is_flat(const ConvolutionShape& shape) {
    const auto& w = shape.window;
    return w.height == 1 && w.width == 1 && w.stride_y == 1 && w.stride_x == 1 && w.top == 0 &&
           w.left == 0 && w.bottom == 0 && w.right == 0;
}

}  // namespace

WeightGradientPlan::WeightGradientPlan(const ConvolutionShape& given) : shape(given) {
    const auto& w = shape.window;
    const bool flat = is_flat(shape);
    const auto& in = shape.input;
    const auto& out = shape.output;
    samples = in.samples;
    rows = {flat ? 1 : in.height, flat ? 1 : out.height, w.height, w.stride_y, w.dilation_y, w.top};
    columns = {flat ? in.height * in.width : in.width,
               flat ? out.height * out.width : out.width,
               w.width,
               w.stride_x,
               w.dilation_x,
               w.left};
    joined_columns = w.width > 1 && in.channels < tile_rows && w.dilation_x == 1;
    left_channels = joined_columns ? in.channels * w.width : in.channels;
    if (joined_columns) columns.taps = 1;
    pixel_elements = in.channels;
    row_elements = columns.input * in.channels;
    out_channels = out.channels;

    left_tiles = divide_up(left_channels, tile_rows);
    right_tiles = divide_up(out_channels, tile_columns);
    copied_tiles = left_channels < tile_lanes ? 0 : (left_channels - tile_lanes) / tile_rows + 1;
    share_out();

    // Results that don't fit the second cache are read and written less often.
    const auto pixels =
        4 * results() / channel_parts > result_bytes / 2 ? 3 * block_pixels : block_pixels;
    bands_x = divide_up(columns.output, pixels);
    most_columns = divide_up(columns.output, bands_x);
    bands_y = divide_up(rows.output, std::max<std::int64_t>(pixels / most_columns, 1));
    most_rows = divide_up(rows.output, bands_y);
    const bool whole = bands_x == 1 && bands_y == 1;
    group = whole ? std::clamp<std::int64_t>(pixels / (most_rows * most_columns), 1, samples) : 1;
}

void WeightGradientPlan::share_out() {
    threads = omp_get_max_threads();
    channel_parts = 1;
    while (channel_parts < threads && channel_parts < right_tiles &&
           (threads % channel_parts != 0 || 4 * results() / channel_parts > result_bytes))
        ++channel_parts;
    if (threads % channel_parts != 0) channel_parts = 1;
    pixel_parts = threads / channel_parts;
}

}  // namespace nanoatlas::kernels::onednn
