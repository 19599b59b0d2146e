#include "kernels/kokkos/tile_product.hpp"

#include <cblas.h>

#include <Kokkos_Core.hpp>

namespace nanoatlas::kernels::kokkos {

static_assert(
    Kokkos::SpaceAccessibility<Kokkos::DefaultExecutionSpace, Kokkos::HostSpace>::accessible,
    "a device back end needs its own BLAS here (cublasSgemm)");

void minus_two_products(const float* a, std::size_t m, const float* b, std::size_t n,
                        std::size_t columns, float* out) {
    const auto depth = static_cast<blasint>(columns);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, static_cast<blasint>(m),
                static_cast<blasint>(n), depth, -2.0F, a, depth, b, depth, 0.0F, out,
                static_cast<blasint>(n));
}

}  // namespace nanoatlas::kernels::kokkos
