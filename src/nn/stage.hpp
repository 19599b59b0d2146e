// The stages of a plan: what one fused group of nodes does forward and backward.
//
// A stage is wired when the plan is built (which buffers it reads and writes, and when), and then
// run any number of times. Buffers are numbers until the arena is laid out; Run turns them into
// addresses.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kernels/cnn.hpp"
#include "nn/arena.hpp"
#include "nn/fusion.hpp"
#include "nn/graph.hpp"
#include "nn/parameters.hpp"
#include "nn/profile.hpp"

namespace nanoatlas::nn {

/// What one pass through a plan works on.
struct Run {
    kernels::Backend& backend;
    std::byte* arena;
    const std::int64_t* offsets;  ///< by buffer
    const float* parameters;
    float* gradients;  ///< of the trained parameters; null in evaluation
    float* buffers;    ///< running statistics
    /// Ranks whose samples share batch statistics; null: this rank alone.
    const comm::Communicator* statistics;
    std::uint64_t dropout_stream;  ///< of this step
    std::int64_t first_sample;     ///< number of this rank's first sample in the batch of all ranks
    Profile* profile = nullptr;    ///< takes the stages' times, if they are wanted

    void* at(int buffer) const { return arena + offsets[buffer]; }
};

/// The gradient of a value as its readers left it in parts.
struct Incoming {
    std::vector<int> parts;
    int y = -1;  ///< the value itself, where an activation is to be undone
    kernels::Activation activation = kernels::Activation::none;
    int sum = -1;                ///< buffer for the sum, or the part that is it
    bool sum_is_shared = false;  ///< that part is another value's, too
    std::int64_t elements = 0;

    /// The one gradient, summed up and led back through the activation.
    const void* collect(const Run& run) const;
    std::vector<const void*> addresses(const Run& run) const;
    bool needs_sum() const { return parts.size() > 1 || activation != kernels::Activation::none; }
};

/// What stages ask for while a plan is wired: buffers at the present time, shapes, gradients.
class Wiring {
  public:
    Wiring(const Graph& graph, const Fusion& fusion, const ParameterLayout& layout,
           const std::vector<bool>& trained, std::int64_t samples, kernels::Backend& backend);

    const Graph& graph() const { return graph_; }
    const ParameterLayout& layout() const { return layout_; }
    kernels::Backend& backend() const { return backend_; }
    Arena& arena() { return arena_; }
    const Node& node(int i) const { return graph_.nodes()[static_cast<std::size_t>(i)]; }
    bool is_trained(int i) const { return trained_[static_cast<std::size_t>(i)]; }
    /// A storage's gradient is needed: something that it is computed from is trained.
    bool wants_gradient(int storage) const {
        return wants_gradient_[static_cast<std::size_t>(storage)];
    }
    /// The shape in which a node's value lies in memory (before it was flattened).
    kernels::ImageShape image(int i) const;
    std::int64_t bytes(int i) const;

    int time = 0;
    /// The buffer of a storage's value, in use now; made when it is first asked for.
    int value(int storage);
    /// A buffer as large as a node's value.
    int temporary(int i);
    /// A new part of a storage's gradient, to be written now.
    int add_gradient(int storage);
    /// A buffer that is in use anyway becomes a part; shared: more than one value has it, so
    /// nobody writes into it.
    void share_gradient(int storage, int buffer, bool shared);
    /// All parts of a storage's gradient, read now; no parts if no reader led one back.
    Incoming incoming(int storage, kernels::Activation activation);

  private:
    void check_layout(const Group& group) const;

    struct Part {
        int buffer;
        bool shared;
    };
    const Graph& graph_;
    const Fusion& fusion_;
    const ParameterLayout& layout_;
    const std::vector<bool>& trained_;
    std::int64_t samples_;
    kernels::Backend& backend_;
    Arena arena_;
    std::vector<int> values_;
    std::vector<std::vector<Part>> parts_;
    std::vector<bool> wants_gradient_;
};

class Stage {
  public:
    virtual ~Stage() = default;
    /// Parameters have changed: cast, fold and pack what forward() and backward() use.
    virtual void pack(const float* parameters, const float* buffers);
    virtual void forward(const Run& run) = 0;
    /// Called once after all stages are made, from the last to the first, if anything is trained.
    virtual void wire_backward(Wiring& wiring);
    virtual void backward(const Run& run);
    /// It talks to other ranks, so it runs though this rank has no samples.
    virtual bool is_collective() const { return false; }
};

/// The stage of a group, wired forward. Those with parameters have files of their own, the rest are
/// in simple_stages.cpp.
std::unique_ptr<Stage> make_stage(const Group& group, Wiring& wiring);
std::unique_ptr<Stage> make_convolution_stage(const Group& group, Wiring& wiring);
std::unique_ptr<Stage> make_norm_stage(const Group& group, Wiring& wiring);
std::unique_ptr<Stage> make_layer_norm_stage(const Group& group, Wiring& wiring);
std::unique_ptr<Stage> make_scale_stage(const Group& group, Wiring& wiring);

}  // namespace nanoatlas::nn
