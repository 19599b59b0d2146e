// Stands in for CUDA's header, so that the GPU's kernels and what starts them can be tested on the
// host: the threads of a block take turns, barriers and shuffles keep their meaning, work that is
// captured is played from a list, and what CUDA forbids in a capture fails.
#pragma once

#include <math.h>

#include <cstddef>
#include <cstdint>
#include <functional>

#define NANOATLAS_CUDA_ON_HOST
#define __global__
#define __device__
#define __host__
#define __shared__ static

struct dim3 {
    unsigned x, y, z;
    constexpr dim3(unsigned of_x = 1, unsigned of_y = 1, unsigned of_z = 1)
        : x(of_x), y(of_y), z(of_z) {}
};
struct float2 {
    float x, y;
};
/// Of the thread whose turn it is.
inline dim3 threadIdx, blockIdx, blockDim, gridDim;

using cudaStream_t = struct CudaOnHostStream*;
using cudaEvent_t = struct CudaOnHostEvent*;
using cudaGraph_t = struct CudaOnHostGraph*;
using cudaGraphExec_t = cudaGraph_t;

namespace cuda_on_host {

void launch(dim3 blocks, dim3 threads, std::size_t shared_bytes, cudaStream_t stream,
            const std::function<void()>& kernel);
void* shared_memory();
void wait_for_block();
/// The value that the thread `step` away (by exclusive or) gives.
float exchange(float value, unsigned step);

}  // namespace cuda_on_host

inline void __syncthreads() {
    cuda_on_host::wait_for_block();
}
inline float __shfl_xor_sync(unsigned, float value, int step) {
    return cuda_on_host::exchange(value, static_cast<unsigned>(step));
}

enum cudaError_t {
    cudaSuccess,
    cudaErrorMemoryAllocation,
    cudaErrorNoDevice,
    cudaErrorStreamCaptureUnsupported
};
enum cudaMemcpyKind { cudaMemcpyHostToDevice, cudaMemcpyDeviceToHost, cudaMemcpyDeviceToDevice };
enum cudaStreamCaptureMode { cudaStreamCaptureModeThreadLocal };
constexpr unsigned cudaStreamNonBlocking = 1, cudaEventDisableTiming = 2;

const char* cudaGetErrorString(cudaError_t error);
cudaError_t cudaGetLastError();
/// One, if the environment has NANOATLAS_CUDA_ON_HOST.
cudaError_t cudaGetDeviceCount(int* count);
cudaError_t cudaSetDevice(int device);
cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total);
/// Filled with what no kernel may read: NaN.
cudaError_t cudaMalloc(void** block, std::size_t bytes);
cudaError_t cudaFree(void* block);
cudaError_t cudaMallocHost(void** block, std::size_t bytes);
cudaError_t cudaFreeHost(void* block);
cudaError_t cudaMemset(void* block, int value, std::size_t bytes);
cudaError_t cudaMemsetAsync(void* block, int value, std::size_t bytes, cudaStream_t stream);
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream);
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags);
cudaError_t cudaStreamDestroy(cudaStream_t stream);
cudaError_t cudaStreamSynchronize(cudaStream_t stream);
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned flags = 0);
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags);
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream);
cudaError_t cudaEventDestroy(cudaEvent_t event);
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode);
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph);
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* made, cudaGraph_t graph,
                                 unsigned long long flags);
cudaError_t cudaGraphLaunch(cudaGraphExec_t graph, cudaStream_t stream);
cudaError_t cudaGraphDestroy(cudaGraph_t graph);
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t graph);
