// The life of the Kokkos library.
#pragma once

namespace nanoatlas::kernels::kokkos {

/// Kokkos is up while it lives. One per process, at a time, on the thread that runs the kernels.
class Runtime {
  public:
    /// threads: of the host's back end; on OpenMP it is the pool that everything else draws on.
    explicit Runtime(int threads);
    ~Runtime();
    Runtime(const Runtime&) = delete;
    Runtime& operator=(const Runtime&) = delete;
};

}  // namespace nanoatlas::kernels::kokkos
