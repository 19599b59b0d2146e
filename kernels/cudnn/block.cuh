// Values of the threads of a block brought together in one order, so the bits are the same each
// time. For .cu files.
#pragma once

#include "kernels/cudnn/launch.cuh"

namespace nanoatlas::kernels::cudnn {

/// On every thread: combine(...) of the values of all `threads` (a power of two) of the block.
template <int threads, class V, class Combine>
__device__ V combine_block(V value, const Combine& combine) {
    __shared__ V shared[threads];
    __syncthreads();  // what an earlier call left has been read
    shared[threadIdx.x] = value;
    for (unsigned half = threads / 2; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half)
            shared[threadIdx.x] = combine(shared[threadIdx.x], shared[threadIdx.x + half]);
    }
    __syncthreads();
    return shared[0];
}

template <int threads>
__device__ double sum_of_block(double value) {
    return combine_block<threads>(value, [](double a, double b) { return a + b; });
}

}  // namespace nanoatlas::kernels::cudnn
