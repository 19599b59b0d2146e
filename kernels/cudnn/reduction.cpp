#include "kernels/cudnn/reduction.hpp"

#include <algorithm>

namespace nanoatlas::kernels::cudnn {

Reduction plan_reduction(std::int64_t rows, std::int64_t channels, std::int64_t vector) {
    constexpr std::int64_t wanted_blocks = 132 * 8, fewest_rows = 8 * block_rows;
    const auto most = std::max<std::int64_t>(rows / fewest_rows, 1);
    const auto splits =
        std::clamp<std::int64_t>(wanted_blocks / channel_blocks(channels, vector), 1, most);
    const auto each = std::max<std::int64_t>((rows + splits - 1) / splits, 1);
    return {std::max<std::int64_t>((rows + each - 1) / each, 1), each};
}

}  // namespace nanoatlas::kernels::cudnn
