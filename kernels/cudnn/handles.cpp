#include "kernels/cudnn/handles.hpp"

#include <algorithm>
#include <array>
#include <new>

namespace nanoatlas::kernels::cudnn {
namespace {

[[noreturn]] void fail(const char* library, const char* action, const std::string& cause) {
    throw DeviceError(std::string("cannot ") + action + " (" + library + ": " + cause + ")");
}

}  // namespace

void check(cudaError_t status, const char* action) {
    if (status != cudaSuccess) fail("CUDA", action, cudaGetErrorString(status));
}

void check(cudnnStatus_t status, const char* action) {
    if (status == CUDNN_STATUS_SUCCESS) return;
    std::array<char, 512> details{};
    cudnnGetLastErrorString(details.data(), details.size());
    fail("cuDNN", action, std::string(cudnnGetErrorString(status)) + " " + details.data());
}

void check(ncclResult_t status, const char* action) {
    if (status != ncclSuccess) fail("NCCL", action, ncclGetErrorString(status));
}

Stream make_stream() {
    cudaStream_t stream = nullptr;
    check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "make a stream");
    return Stream(stream);
}

Event make_event() {
    cudaEvent_t event = nullptr;
    check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "make an event");
    return Event(event);
}

DeviceBlock allocate_on_device(std::int64_t bytes) {
    void* block = nullptr;
    const auto size = static_cast<std::size_t>(std::max<std::int64_t>(bytes, 1));
    const auto status = cudaMalloc(&block, size);
    if (status == cudaErrorMemoryAllocation) {
        cudaGetLastError();  // or the next call would be told of it
        throw std::bad_alloc();
    }
    check(status, "allocate memory on the device");
    return DeviceBlock(block);
}

PinnedBlock allocate_pinned(std::int64_t bytes) {
    void* block = nullptr;
    const auto size = static_cast<std::size_t>(std::max<std::int64_t>(bytes, 1));
    check(cudaMallocHost(&block, size), "allocate pinned memory");
    return PinnedBlock(block);
}

}  // namespace nanoatlas::kernels::cudnn
