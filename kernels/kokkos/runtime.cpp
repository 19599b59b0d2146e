#include "kernels/kokkos/runtime.hpp"

#include <Kokkos_Core.hpp>

namespace nanoatlas::kernels::kokkos {

Runtime::Runtime(int threads) {
    // Binding is the launcher's business (mpirun, srun); Kokkos would warn on each start.
    Kokkos::initialize(
        Kokkos::InitializationSettings().set_num_threads(threads).set_disable_warnings(true));
}

Runtime::~Runtime() {
    Kokkos::finalize();
}

}  // namespace nanoatlas::kernels::kokkos
