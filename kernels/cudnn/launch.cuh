// The one place that starts kernels, and what they ask of the block of threads that they run in.
// For .cu files, which the tests compile for the host, too (tests/cuda_on_host).
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

#include "kernels/cudnn/handles.hpp"

namespace nanoatlas::kernels::cudnn {

/// Before a loop whose arrays are to lie in registers. The host's compiler decides by itself.
#ifdef NANOATLAS_CUDA_ON_HOST
#define NANOATLAS_UNROLL
#else
#define NANOATLAS_UNROLL _Pragma("unroll")
#endif

/// Blocks and the threads of each; bytes of shared memory that the kernel takes by shared_memory().
struct LaunchShape {
    dim3 blocks, threads;
    std::size_t shared_bytes = 0;
};

template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), const LaunchShape& shape, cudaStream_t stream,
            Arguments... arguments) {
#ifdef NANOATLAS_CUDA_ON_HOST
    cuda_on_host::launch(shape.blocks, shape.threads, shape.shared_bytes, stream,
                         [=] { kernel(arguments...); });
#else
    kernel<<<shape.blocks, shape.threads, shape.shared_bytes, stream>>>(arguments...);
#endif
    check(cudaGetLastError(), "start a kernel");
}

/// The same memory for all threads of a block.
__device__ inline float* shared_memory() {
#ifdef NANOATLAS_CUDA_ON_HOST
    return static_cast<float*>(cuda_on_host::shared_memory());
#else
    extern __shared__ float values[];
    return values;
#endif
}

}  // namespace nanoatlas::kernels::cudnn
