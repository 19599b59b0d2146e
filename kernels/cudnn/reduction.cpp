#include "kernels/cudnn/reduction.hpp"

namespace nanoatlas::kernels::cudnn {

Reduction plan_reduction(std::int64_t rows, std::int64_t channels, std::int64_t vector) {
    const auto depth = BlockShape(channels, vector).depth;
    constexpr std::int64_t wanted_blocks = 132 * 8, fewest_rows = 64;
    const auto most = std::max<std::int64_t>(rows / std::max(fewest_rows, depth), 1);
    const auto for_short_sums = std::min(rows / (rows_in_f32 * depth), wanted_blocks);
    const auto splits = std::clamp<std::int64_t>(wanted_blocks / channel_blocks(channels, vector),
                                                 std::max<std::int64_t>(for_short_sums, 1), most);
    const auto each = std::max<std::int64_t>((rows + splits - 1) / splits, 1);
    return {std::max<std::int64_t>((rows + each - 1) / each, 1), each};
}

}  // namespace nanoatlas::kernels::cudnn
