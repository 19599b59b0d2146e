// The nearest centre of each row that may have another than before.
#pragma once

#include <cstdint>

#include "kernels/kokkos/centre_rows.hpp"

namespace nanoatlas::kernels::kokkos::centre_search {

/// Labels and leads of the rows by these centres; returns how many labels have changed.
std::int64_t assign_nearest(const Rows& rows, const Centres& centres);

}  // namespace nanoatlas::kernels::kokkos::centre_search
