// Sums of the rows of each label, kept up to date while labels change.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/kokkos/centre_rows.hpp"
#include "kernels/kokkos/fixed_point.hpp"

namespace nanoatlas::kernels::kokkos::centre_search {

class LabelSums {
  public:
    LabelSums(const Rows& rows, const DeviceView<double>& centre, std::size_t clusters,
              const FixedPoint& fixed);

    /// Forgets what has been summed.
    void restart();

    /// Adds to sums [K, columns] and counts [K] what labels have changed since the last call; a
    /// value counts as a whole number of (value - centre).
    void add_changes(std::span<std::int64_t> sums, std::span<std::int64_t> counts);

  private:
    Rows rows_;
    DeviceView<double> centre_;
    FixedPoint fixed_;
    DeviceView<std::int32_t> summed_;  // [n] labels when add_changes() was last called
    DeviceView<std::int64_t> sums_;    // [copies, K, columns]
};

}  // namespace nanoatlas::kernels::kokkos::centre_search
