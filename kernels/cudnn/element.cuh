// Elements of images on the GPU, alone and in vectors of 16 bytes, and loops over them. For .cu
// files.
#pragma once

#include <cuda_bf16.h>

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "kernels/cnn.hpp"
#include "kernels/cudnn/launch.cuh"

namespace nanoatlas::kernels::cudnn {

__device__ inline float load(float value) {
    return value;
}
__device__ inline float load(__nv_bfloat16 value) {
    return __bfloat162float(value);
}
__device__ inline void store(float value, float& to) {
    to = value;
}
__device__ inline void store(float value, __nv_bfloat16& to) {
    to = __float2bfloat16_rn(value);
}

template <class T>
constexpr std::int64_t vector_length = 16 / sizeof(T);

/// V elements that lie together, moved by one instruction.
template <class T, int V>
struct alignas(sizeof(T) * V) Vector {
    T at[V];
};
template <int V, class T>
__device__ Vector<T, V> load_vector(const T* from) {
    return *reinterpret_cast<const Vector<T, V>*>(from);
}
template <int V, class T>
__device__ void store_vector(const Vector<T, V>& vector, T* to) {
    *reinterpret_cast<Vector<T, V>*>(to) = vector;
}

__device__ inline float activate(float value, Activation activation) {
    if (activation == Activation::none) return value;
    if (activation == Activation::gelu) return 0.5F * value * erfcf(-value * 0.70710678118654752F);
    // NaN passes, as it does on the CPU.
    value = value < 0 ? 0 : value;
    return activation == Activation::relu6 && value > 6 ? 6 : value;
}
__device__ inline float pass_on(float gradient, float y, Activation activation) {
    if (activation == Activation::none) return gradient;
    return y > 0 && (activation == Activation::relu || y < 6) ? gradient : 0;
}

template <class Work>
__global__ void run_for_each(std::int64_t count, Work work) {
    const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
    for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
         i < count; i += step)
        work(i);
}

/// work(i) for i in [0, count), on the device.
template <class Work>
void for_each(std::int64_t count, const Work& work, cudaStream_t stream) {
    if (count == 0) return;
    constexpr std::int64_t threads = 256, most_blocks = 132 * 32;
    const auto blocks = std::min((count + threads - 1) / threads, most_blocks);
    launch(run_for_each<Work>, {static_cast<unsigned>(blocks), static_cast<unsigned>(threads)},
           stream, count, work);
}

/// with_vector<T>(length, f): f.operator()<V>() with V as long as the rows allow.
template <class T, class Work>
void with_vector(std::int64_t length, const Work& work) {
    if (length % vector_length<T> == 0)
        work.template operator()<static_cast<int>(vector_length<T>)>();
    else
        work.template operator()<1>();
}

template <int V, class Work>
struct WithLength {
    Work work;
    __device__ void operator()(std::int64_t i) const { work(std::integral_constant<int, V>{}, i); }
};

/// work(V, i) for each i of elements / V, V (a constant) as long as rows of that length allow.
template <class T, class Work>
void for_each_vector(std::int64_t length, std::int64_t elements, const Work& work,
                     cudaStream_t stream) {
    with_vector<T>(length,
                   [&]<int V>() { for_each(elements / V, WithLength<V, Work>{work}, stream); });
}

}  // namespace nanoatlas::kernels::cudnn
