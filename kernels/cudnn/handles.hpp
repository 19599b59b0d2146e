// Owners of what CUDA, cuDNN and NCCL hand out: move-only, released in destructors that don't
// throw; and their errors as exceptions.
#pragma once

#include <cuda_runtime_api.h>
#include <cudnn.h>
#include <nccl.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace nanoatlas::kernels::cudnn {

/// A library's error: what was done, and what it said.
class DeviceError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

void check(cudaError_t status, const char* action);
void check(cudnnStatus_t status, const char* action);
void check(ncclResult_t status, const char* action);

template <class T, auto release>
class Handle {
  public:
    Handle() = default;
    explicit Handle(T value) : value_(value) {}
    Handle(Handle&& other) noexcept : value_(std::exchange(other.value_, T{})) {}
    Handle& operator=(Handle&& other) noexcept {
        std::swap(value_, other.value_);
        return *this;
    }
    ~Handle() {
        if (value_ != T{}) release(value_);
    }
    T get() const { return value_; }
    explicit operator bool() const { return value_ != T{}; }

  private:
    T value_{};
};

using Stream = Handle<cudaStream_t, cudaStreamDestroy>;
using Event = Handle<cudaEvent_t, cudaEventDestroy>;
using DeviceBlock = Handle<void*, cudaFree>;
using PinnedBlock = Handle<void*, cudaFreeHost>;
using CapturedGraph = Handle<cudaGraph_t, cudaGraphDestroy>;
using ExecutableGraph = Handle<cudaGraphExec_t, cudaGraphExecDestroy>;
using CudnnHandle = Handle<cudnnHandle_t, cudnnDestroy>;
using NcclCommunicator = Handle<ncclComm_t, ncclCommDestroy>;

Stream make_stream();
Event make_event();
/// throws std::bad_alloc
DeviceBlock allocate_on_device(std::int64_t bytes);
PinnedBlock allocate_pinned(std::int64_t bytes);

}  // namespace nanoatlas::kernels::cudnn
