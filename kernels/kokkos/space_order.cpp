#include "kernels/kokkos/space_order.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace nanoatlas::kernels::kokkos {
namespace {

class Splitter {
  public:
    Splitter(std::span<const double> rows, std::size_t columns, std::size_t leaf)
        : rows_(rows), columns_(columns), leaf_(leaf), low_(columns), high_(columns) {}

    void split(std::span<std::int32_t> cell) {
        if (cell.size() <= leaf_) return;
        const std::size_t column = most_varying(cell);
        const std::size_t leaves = (cell.size() + leaf_ - 1) / leaf_;
        const std::size_t middle = (leaves + 1) / 2 * leaf_;
        std::nth_element(
            cell.begin(), cell.begin() + static_cast<std::ptrdiff_t>(middle), cell.end(),
            [&](std::int32_t a, std::int32_t b) { return value(a, column) < value(b, column); });
        split(cell.first(middle));
        split(cell.subspan(middle));
    }

  private:
    static constexpr std::size_t looked_at = 64;  // rows that tell which column varies most

    double value(std::int32_t row, std::size_t column) const {
        return rows_[static_cast<std::size_t>(row) * columns_ + column];
    }

    std::size_t most_varying(std::span<const std::int32_t> cell) {
        std::fill(low_.begin(), low_.end(), std::numeric_limits<double>::infinity());
        std::fill(high_.begin(), high_.end(), -std::numeric_limits<double>::infinity());
        const std::size_t stride = std::max<std::size_t>(1, cell.size() / looked_at);
        for (std::size_t i = 0; i < cell.size(); i += stride)
            for (std::size_t c = 0; c < columns_; ++c) {
                low_[c] = std::min(low_[c], value(cell[i], c));
                high_[c] = std::max(high_[c], value(cell[i], c));
            }
        std::size_t widest = 0;
        for (std::size_t c = 1; c < columns_; ++c)
            if (high_[c] - low_[c] > high_[widest] - low_[widest]) widest = c;
        return widest;
    }

    std::span<const double> rows_;
    std::size_t columns_, leaf_;
    std::vector<double> low_, high_;
};

}  // namespace

std::vector<std::int32_t> space_order(std::span<const double> rows, std::size_t columns,
                                      std::size_t leaf) {
    std::vector<std::int32_t> order(rows.size() / columns);
    std::iota(order.begin(), order.end(), 0);
    Splitter(rows, columns, leaf).split(order);
    return order;
}

}  // namespace nanoatlas::kernels::kokkos
