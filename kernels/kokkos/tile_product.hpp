// The matrix product under the distance tiles: the one place here that names a BLAS.
#pragma once

#include <cstddef>

namespace nanoatlas::kernels::kokkos {

/// out[i, j] = -2 * sum over c of a[i, c] * b[j, c]; all row-major and in the memory of the
/// default execution space. a [m, columns], b [n, columns], out [m, n].
void minus_two_products(const float* a, std::size_t m, const float* b, std::size_t n,
                        std::size_t columns, float* out);

}  // namespace nanoatlas::kernels::kokkos
