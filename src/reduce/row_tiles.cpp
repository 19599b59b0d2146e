#include "reduce/row_tiles.hpp"

#include <algorithm>
#include <cmath>

namespace nanoatlas::reduce {

RowTiles::RowTiles(const store::Matrix<float>& matrix, const comm::Communicator& comm)
    : matrix_(matrix) {
    const auto tile_after = [](std::int64_t row) { return (row + tile_rows - 1) / tile_rows; };
    const auto& mine = matrix.rows;
    first_ = tile_after(mine.first);
    end_ = std::max(first_, tile_after(mine.end()));

    const comm::BlockDistribution blocks(mine.total, comm.size());
    std::vector<std::vector<float>> parts(static_cast<std::size_t>(comm.size()));
    const auto head = std::min(first_ * tile_rows, mine.end()) - mine.first;
    if (mine.count > 0 && head > 0) {
        const auto owner = blocks.owner(mine.first / tile_rows * tile_rows);
        parts[static_cast<std::size_t>(owner)].assign(
            matrix.values.begin(), matrix.values.begin() + head * matrix.columns);
    }
    for (const auto& part : comm.exchange(parts))
        behind_.insert(behind_.end(), part.begin(), part.end());
}

std::int64_t RowTiles::end_of(std::int64_t t) const {
    return std::min(begin_of(t) + tile_rows, total_rows());
}

const float* RowTiles::row(std::int64_t row) const {
    const auto& mine = matrix_.rows;
    return row < mine.end() ? matrix_.values.data() + (row - mine.first) * columns()
                            : behind_.data() + (row - mine.end()) * columns();
}

Quantum::Quantum(double bound) {
    // Next to the anchor, doubles are 2^(exponent - 50) apart, so values below 2^exponent become
    // multiples of that, and sums of them below 2^exponent take 50 of a double's 53 bits.
    int exponent = 0;
    std::frexp(std::max(bound, 1e-290), &exponent);
    anchor_ = std::ldexp(1.5, exponent + 2);
}

}  // namespace nanoatlas::reduce
