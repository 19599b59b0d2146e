#include "kernels/onednn/weight_gradient_plan.hpp"

#include <omp.h>

namespace nanoatlas::kernels::onednn {
namespace {

/// Pixels whose panels are packed at once; a panel of as many takes half of the first cache.
constexpr std::int64_t block_pixels = tile_lanes == 8 ? 256 : 192;
/// The same where they are read in place, and how many channels make packing cost more than that:
/// few on one side, so that a packed pixel meets few tiles, and a block that fits the second cache.
constexpr std::int64_t direct_pixels = 128, direct_channels = 48, direct_values = 288;
/// Above this many bytes of results a thread, threads share out the output channels.
constexpr std::int64_t result_bytes = 1 << 20;

bool is_flat(const ConvolutionShape& shape) {
    const auto& w = shape.window;
    return w.height == 1 && w.width == 1 && w.stride_y == 1 && w.stride_x == 1 && w.top == 0 &&
           w.left == 0 && w.bottom == 0 && w.right == 0;
}

bool reads_in_place(const ConvolutionShape& shape) {
    const auto in = shape.input.channels, out = shape.output.channels;
    return !shape.bias && out % tile_lanes == 0 && std::min(in, out) <= direct_channels &&
           in + out <= direct_values;
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
    direct = flat && reads_in_place(shape);
    share_out();

    const auto pixels = pixels_at_once();
    bands_x = divide_up(columns.output, pixels);
    most_columns = divide_up(columns.output, bands_x);
    bands_y = divide_up(rows.output, std::max<std::int64_t>(pixels / most_columns, 1));
    most_rows = divide_up(rows.output, bands_y);
    group = bands_x == 1 && bands_y == 1 ? samples_at_once(pixels) : 1;
}

/// Results that don't fit the second cache are read and written less often.
std::int64_t WeightGradientPlan::pixels_at_once() const {
    if (direct) return direct_pixels;
    return 4 * results() / channel_parts > result_bytes / 2 ? 3 * block_pixels : block_pixels;
}

/// As many as fit, and the same number for each thread.
std::int64_t WeightGradientPlan::samples_at_once(std::int64_t pixels) const {
    const auto fit = std::max<std::int64_t>(pixels / (most_rows * most_columns), 1);
    const auto groups = divide_up(divide_up(samples, fit), pixel_parts) * pixel_parts;
    return std::max<std::int64_t>(divide_up(samples, groups), 1);
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
