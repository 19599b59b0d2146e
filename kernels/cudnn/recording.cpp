// Work as a CUDA graph: done at the first call, in which libraries load and memory is taken,
// captured at the second, launched as a whole from then on.
#include "kernels/cudnn/primitives.hpp"

namespace nanoatlas::kernels::cudnn {
namespace {

/// The stream records instead of working, while it lives.
class Capture {
  public:
    explicit Capture(cudaStream_t stream) : stream_(stream) {
        check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "record work");
    }
    ~Capture() {
        if (stream_ == nullptr) return;
        cudaGraph_t left = nullptr;  // something threw: what was recorded is of no use
        cudaStreamEndCapture(stream_, &left);
        if (left != nullptr) cudaGraphDestroy(left);
    }
    Capture(const Capture&) = delete;
    Capture& operator=(const Capture&) = delete;

    CapturedGraph end() {
        cudaGraph_t graph = nullptr;
        check(cudaStreamEndCapture(std::exchange(stream_, nullptr), &graph), "end a recording");
        return CapturedGraph(graph);
    }

  private:
    cudaStream_t stream_;
};

class GraphRecording final : public Recording {
  public:
    explicit GraphRecording(DevicePointer device) : device_(std::move(device)) {}

    void play(const std::function<void()>& work) override {
        if (!is_warm_) {
            work();
            is_warm_ = true;
            return;
        }
        if (!graph_) graph_ = record(work);
        check(cudaGraphLaunch(graph_.get(), device_->stream()), "play a recording");
    }

  private:
    ExecutableGraph record(const std::function<void()>& work) {
        device_->workspace();  // primitives made since may want more: nothing is taken in a capture
        Capture capture(device_->stream());
        work();
        const auto graph = capture.end();
        cudaGraphExec_t executable = nullptr;
        check(cudaGraphInstantiate(&executable, graph.get(), 0), "make a recording ready");
        return ExecutableGraph(executable);
    }

    DevicePointer device_;
    bool is_warm_ = false;
    ExecutableGraph graph_;
};

}  // namespace

std::unique_ptr<Recording> make_recording(DevicePointer device) {
    if (device->sums() != nullptr && !device->sums()->is_recordable())
        return std::make_unique<Recording>();
    return std::make_unique<GraphRecording>(std::move(device));
}

}  // namespace nanoatlas::kernels::cudnn
