#include "reduce/row_tiles.hpp"

#include <algorithm>
#include <cmath>

namespace nanoatlas::reduce {

template <class T>
RowTiles<T>::RowTiles(const store::Matrix<T>& matrix, const comm::Communicator& comm)
    : matrix_(&matrix), mine_(matrix.rows), columns_(matrix.columns) {
    find_tiles();
    const comm::BlockDistribution blocks(mine_.total, comm.size());
    std::vector<std::vector<T>> parts(static_cast<std::size_t>(comm.size()));
    const auto head = std::min(first_ * tile_rows, mine_.end()) - mine_.first;
    if (mine_.count > 0 && head > 0) {
        const auto owner = blocks.owner(mine_.first / tile_rows * tile_rows);
        parts[static_cast<std::size_t>(owner)].assign(matrix.values.begin(),
                                                      matrix.values.begin() + head * columns_);
    }
    for (const auto& part : comm.exchange(parts))
        behind_.insert(behind_.end(), part.begin(), part.end());
}

template <class T>
RowTiles<T>::RowTiles(const store::MatrixFile& file, const comm::Communicator& comm)
    : file_(&file), mine_(comm::row_block(file.rows(), comm)), columns_(file.columns()) {
    find_tiles();
}

template <class T>
void RowTiles<T>::find_tiles() {
    const auto tile_after = [](std::int64_t row) { return (row + tile_rows - 1) / tile_rows; };
    first_ = tile_after(mine_.first);
    end_ = std::max(first_, tile_after(mine_.end()));
}

template <class T>
std::int64_t RowTiles<T>::end_of(std::int64_t t) const {
    return std::min(begin_of(t) + tile_rows, total_rows());
}

template <class T>
std::span<const T> RowTiles<T>::rows(std::int64_t t, std::vector<T>& room) const {
    const auto begin = begin_of(t), end = end_of(t);
    if (file_ != nullptr) {
        file_->read_into(begin, end - begin, room);
        return room;
    }
    const auto own = std::span(matrix_->values)
                         .subspan(static_cast<std::size_t>((begin - mine_.first) * columns_));
    const auto size = static_cast<std::size_t>((end - begin) * columns_);
    if (end <= mine_.end()) return own.first(size);
    room.assign(own.begin(), own.end());
    const auto missing = static_cast<std::ptrdiff_t>(size - own.size());
    room.insert(room.end(), behind_.begin(), behind_.begin() + missing);
    return room;
}

template class RowTiles<float>;
template class RowTiles<double>;

Quantum::Quantum(double bound) {
    // Next to the anchor, doubles are 2^(exponent - 50) apart, so values below 2^exponent become
    // multiples of that, and sums of them below 2^exponent take 50 of a double's 53 bits.
    int exponent = 0;
    std::frexp(std::max(bound, 1e-290), &exponent);
    anchor_ = std::ldexp(1.5, exponent + 2);
}

}  // namespace nanoatlas::reduce
