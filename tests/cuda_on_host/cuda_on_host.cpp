#include <setjmp.h>
#include <ucontext.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "cuda_runtime_api.h"

struct CudaOnHostStream {};
struct CudaOnHostEvent {};
struct CudaOnHostGraph {
    std::vector<std::function<void()>> work;
};

namespace cuda_on_host {
namespace {

/// Where threads of a block run: one after the other, until one of them waits; that one keeps the
/// fiber, and the others go on in another. Fibers are kept for the next block.
struct Fiber {
    static constexpr std::size_t stack_bytes = 1 << 17;
    ucontext_t begin{};
    /// Where it goes on; unlike a context it is changed without a system call.
    jmp_buf place{};
    bool begun = false;
    std::unique_ptr<char[]> stack = std::make_unique<char[]>(stack_bytes);
    dim3 thread;
    unsigned exchanges = 0;  ///< of the thread
    bool waits = false;
};

class Block {
  public:
    static Block& get() {
        static Block block;
        return block;
    }

    void run(dim3 threads, const std::function<void()>& kernel) {
        kernel_ = &kernel;
        blockDim = threads;
        count_ = threads.x * threads.y * threads.z;
        next_ = 0;
        for (auto& slots : slots_) slots.resize(count_);
        std::vector<Fiber*> waiting, still;
        while (next_ < count_) start(take_fiber(), waiting);
        while (!waiting.empty()) {  // all are at the same barrier, or have ended
            still.clear();
            for (auto* fiber : waiting) resume(fiber, still);
            waiting.swap(still);
        }
    }

    void wait() {
        running_->waits = true;
        if (_setjmp(running_->place) == 0) _longjmp(scheduler_, 1);
        running_->waits = false;
    }

    float exchange(float value, unsigned step) {
        const unsigned me = linear(threadIdx);
        // No thread begins the next exchange but one before all have read this one's slots.
        auto& slots = slots_[running_->exchanges++ % 2];
        slots[me] = value;
        wait();
        return slots[me ^ step];
    }

    std::vector<float> shared;

  private:
    static unsigned linear(const dim3& at) {
        return at.x + blockDim.x * (at.y + blockDim.y * at.z);
    }

    Fiber* take_fiber() {
        if (idle_.empty()) {
            fibers_.push_back(std::make_unique<Fiber>());
            return fibers_.back().get();
        }
        auto* const fiber = idle_.back();
        idle_.pop_back();
        return fiber;
    }

    void start(Fiber* fiber, std::vector<Fiber*>& waiting) {
        running_ = fiber;
        if (_setjmp(scheduler_) == 0) {
            if (fiber->begun) _longjmp(fiber->place, 1);
            fiber->begun = true;
            getcontext(&fiber->begin);
            fiber->begin.uc_stack.ss_sp = fiber->stack.get();
            fiber->begin.uc_stack.ss_size = Fiber::stack_bytes;
            makecontext(&fiber->begin, &Block::enter, 0);
            setcontext(&fiber->begin);
        }
        came_back(waiting);
    }

    void resume(Fiber* fiber, std::vector<Fiber*>& waiting) {
        running_ = fiber;
        threadIdx = fiber->thread;
        if (_setjmp(scheduler_) == 0) _longjmp(fiber->place, 1);
        came_back(waiting);
    }

    void came_back(std::vector<Fiber*>& waiting) {
        (running_->waits ? waiting : idle_).push_back(running_);
    }

    static void enter() {
        auto& block = get();
        while (true) {
            while (block.next_ < block.count_) block.run_next();
            if (_setjmp(block.running_->place) == 0) _longjmp(block.scheduler_, 1);
        }
    }

    void run_next() {
        const unsigned i = next_++;
        threadIdx = {i % blockDim.x, i / blockDim.x % blockDim.y, i / blockDim.x / blockDim.y};
        running_->thread = threadIdx;
        running_->exchanges = 0;
        (*kernel_)();
    }

    jmp_buf scheduler_{};
    const std::function<void()>* kernel_ = nullptr;
    unsigned count_ = 0, next_ = 0;
    std::array<std::vector<float>, 2> slots_;
    std::vector<std::unique_ptr<Fiber>> fibers_;
    std::vector<Fiber*> idle_;
    Fiber* running_ = nullptr;
};

/// What a stream is asked for while it captures.
std::unique_ptr<CudaOnHostGraph> capture;

void do_or_record(const std::function<void()>& work) {
    if (capture)
        capture->work.push_back(work);
    else
        work();
}

cudaError_t unless_capturing(const std::function<void()>& work) {
    if (capture) return cudaErrorStreamCaptureUnsupported;
    work();
    return cudaSuccess;
}

cudaError_t allocate(void** block, std::size_t bytes) {
    constexpr std::size_t line = 256;
    *block = std::aligned_alloc(line, (bytes + line - 1) / line * line);
    if (*block == nullptr) return cudaErrorMemoryAllocation;
    std::memset(*block, 0xFF, bytes);
    return cudaSuccess;
}

}  // namespace

void launch(dim3 blocks, dim3 threads, std::size_t shared_bytes, cudaStream_t,
            const std::function<void()>& kernel) {
    do_or_record([=] {
        auto& block = Block::get();
        block.shared.assign(shared_bytes / sizeof(float), NAN);
        gridDim = blocks;
        for (unsigned z = 0; z < blocks.z; ++z)
            for (unsigned y = 0; y < blocks.y; ++y)
                for (unsigned x = 0; x < blocks.x; ++x) {
                    blockIdx = {x, y, z};
                    block.run(threads, kernel);
                }
    });
}

void* shared_memory() {
    return Block::get().shared.data();
}
void wait_for_block() {
    Block::get().wait();
}
float exchange(float value, unsigned step) {
    return Block::get().exchange(value, step);
}

}  // namespace cuda_on_host

using namespace cuda_on_host;

const char* cudaGetErrorString(cudaError_t error) {
    if (error == cudaErrorNoDevice) return "no CUDA-capable device is detected";
    return error == cudaErrorStreamCaptureUnsupported ? "not while a stream captures" : "no memory";
}
cudaError_t cudaGetLastError() {
    return cudaSuccess;
}
cudaError_t cudaGetDeviceCount(int* count) {
    *count = std::getenv("NANOATLAS_CUDA_ON_HOST") != nullptr ? 1 : 0;
    return *count > 0 ? cudaSuccess : cudaErrorNoDevice;
}
cudaError_t cudaSetDevice(int) {
    return cudaSuccess;
}
cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
    *free = *total = std::size_t{1} << 31;
    return cudaSuccess;
}
cudaError_t cudaMalloc(void** block, std::size_t bytes) {
    return capture ? cudaErrorStreamCaptureUnsupported : allocate(block, bytes);
}
cudaError_t cudaFree(void* block) {
    return unless_capturing([=] { std::free(block); });
}
cudaError_t cudaMallocHost(void** block, std::size_t bytes) {
    return cudaMalloc(block, bytes);
}
cudaError_t cudaFreeHost(void* block) {
    return cudaFree(block);
}
cudaError_t cudaMemset(void* block, int value, std::size_t bytes) {
    return unless_capturing([=] { std::memset(block, value, bytes); });
}
cudaError_t cudaMemsetAsync(void* block, int value, std::size_t bytes, cudaStream_t) {
    do_or_record([=] { std::memset(block, value, bytes); });
    return cudaSuccess;
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t) {
    // What the host gives to a recording would be read when it is played.
    if (capture && kind == cudaMemcpyHostToDevice) return cudaErrorStreamCaptureUnsupported;
    do_or_record([=] {
        if (bytes > 0) std::memcpy(to, from, bytes);
    });
    return cudaSuccess;
}
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
    *stream = new CudaOnHostStream;
    return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
    delete stream;
    return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t) {
    return capture ? cudaErrorStreamCaptureUnsupported : cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t, cudaEvent_t, unsigned) {
    return cudaSuccess;
}
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
    *event = new CudaOnHostEvent;
    return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t, cudaStream_t) {
    return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
    delete event;
    return cudaSuccess;
}
cudaError_t cudaStreamBeginCapture(cudaStream_t, cudaStreamCaptureMode) {
    capture = std::make_unique<CudaOnHostGraph>();
    return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t, cudaGraph_t* graph) {
    *graph = capture.release();
    return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* made, cudaGraph_t graph, unsigned long long) {
    *made = new CudaOnHostGraph(*graph);
    return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t graph, cudaStream_t) {
    for (const auto& work : graph->work) work();
    return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
    delete graph;
    return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t graph) {
    delete graph;
    return cudaSuccess;
}
