// A graph compiled for one batch size, precision and back end: evaluates, and takes training steps
// over the ranks of a communicator.
//
//     Network network(graph, {.batch = 8, .training = true}, world);
//     network.load(initial_tensors(graph, seed));
//     for (...) {
//         const StepKey key{.seed = seed, .step = i};
//         const auto step = network.train_step(images, labels, {.label_smoothing = 0.1}, key);
//         const auto all = network.in_backend();  // every rank the same
//         optimizer.step(all.parameters, all.gradients, rate);
//     }
//     const auto logits = network.forward(images);
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "kernels/cnn.hpp"
#include "kernels/pictures.hpp"
#include "nn/graph.hpp"
#include "nn/profile.hpp"
#include "nn/ranges.hpp"
#include "nn/taxonomy.hpp"
#include "nn/tensor.hpp"

namespace nanoatlas::nn {

using kernels::Precision;  // f32, bf16

enum class BackendKind { onednn, cudnn, reference };
/// The one that the environment's NANOATLAS_BACKEND names, else onednn. throws InputError
BackendKind default_backend();

struct NetworkOptions {
    std::int64_t batch = 32;               ///< samples of this rank in one call, at most; may be 0
    Precision precision = Precision::f32;  ///< of activations and packed weights; falls back to
                                           ///< f32, and says so, where the processor lacks bf16
    bool training = false;                 ///< train_step() is wanted: gradients are held
    BackendKind backend = default_backend();
    bool sync_batch_norm = true;  ///< statistics over the batch of all ranks
    /// This node and all before it keep their parameters and running statistics (their batch norms
    /// use those); empty: all is trained. The pooled features: graph.node(graph.features()).name.
    std::string frozen_to = {};
    /// Nodes whose values are asked for after forward(), beside logits and features.
    std::vector<std::string> keep = {};
    std::int64_t bucket_bytes = 4 << 20;  ///< gradients summed over the ranks in one message
};

/// A parameter's place in Network::parameters(), and in gradients() unless it is frozen.
struct ParameterSlot {
    std::string name;
    std::vector<std::int64_t> shape;
    ParameterKind kind;
    std::int64_t offset, size;
    bool frozen;
};

struct LossOptions {
    std::vector<float> class_weights{};  ///< by class; empty: all 1
    double label_smoothing = 0;          ///< in [0, 1)
    InnerNodes inner{};  ///< what labels above the classes stand for (nn/taxonomy.hpp)
    /// Samples of two classes (mixup): by sample the other label and the share of the first one in
    /// the loss; empty: none.
    std::span<const std::int32_t> other_labels{};
    std::span<const float> shares{};
};

/// Random numbers of a step (dropout) are a function of this and of a sample's place in the global
/// batch.
struct StepKey {
    std::uint64_t seed = 0;
    std::int64_t step = 0;
};

/// Over the samples of all ranks.
struct StepResult {
    /// Weighted mean over the labelled samples, as torch's cross_entropy; plus the auxiliary
    /// output's, times its weight.
    double loss = 0;
    std::int64_t labelled = 0;
    std::int64_t correct = 0;  ///< of the labelled ones, by the largest logit; of a sample of two
                               ///< classes by that of the larger share
    double weight = 0;         ///< sum of the labelled samples' class weights
    std::vector<std::int64_t> not_finite{};  ///< this rank's samples whose loss is not finite
};

class Network {
  public:
    /// Collective. All parameters 0 until load().
    /// throws InputError if the back end was not configured in, a name is unknown, or the memory
    /// that the plan needs is not there (before it is taken)
    Network(const Graph& graph, const NetworkOptions& options, const comm::Communicator& comm);
    ~Network();
    Network(Network&&) noexcept;

    /// What is used, after falling back.
    Precision precision() const;
    const Graph& graph() const;

    /// throws InputError if tensors of the graph are missing or of another shape: lists them by
    /// name. Tensors that the graph does not know are passed over.
    void load(const TensorMap& tensors);
    TensorMap tensors() const;

    /// All parameters, the trained ones first, in the order in which back-propagation finishes
    /// their gradients; frozen ones behind. Call it for each change: values written through a span
    /// that was got before a forward() may not be seen.
    std::span<float> parameters();
    /// Of the trained ones, at the same offsets; summed over ranks after train_step(). Empty unless
    /// options.training.
    std::span<float> gradients();
    const std::vector<ParameterSlot>& slots() const;
    /// Running statistics of batch norms, in an order that holds for this graph. As parameters().
    std::span<float> buffers();
    /// All three where the back end has them, for what changes them there.
    struct InBackend {
        kernels::Backend& backend;
        std::span<float> parameters, gradients, buffers;
    };
    InBackend in_backend();

    /// From now on pictures of that format may stand for images, if the back end makes input of
    /// them: whether it does. It keeps all of them at hand if they fit into a half of the memory
    /// that is left to it; count 0: each batch's are brought over.
    bool take_pictures(const kernels::PictureFormat& format, const std::uint8_t* all,
                       std::int64_t count);
    bool takes_pictures() const;

    /// Evaluation: running statistics, no dropout. Not collective.
    /// images  [count, channels, height, width], count <= options.batch, normalised
    /// returns logits [count, classes], valid until the next call
    std::span<const float> forward(std::span<const float> images);
    std::span<const float> forward(const kernels::PictureBatch& pictures);
    /// A copy of a node's output [count, elements] (channels, height, width) of the last forward();
    /// the node must be the output, the features, or in options.keep.
    std::vector<float> value(const std::string& name) const;

    /// As forward(); hands over the images and what each stage puts out, by node, in the back
    /// end's order of elements. Before quantise().
    /// throws InputError unless the back end is onednn and the precision f32
    using Observe = std::function<void(const std::string& node, const kernels::ImageShape& shape,
                                       std::span<const float> values)>;
    void observe(std::span<const float> images, const Observe& use);
    /// From now on forward() computes on 8-bit integers (quantised_plan.hpp), until other weights
    /// are loaded; what it hands out stays f32. Returns the ranges of its layers. Not for a network
    /// in training. Collective: every rank may have other images, or none; the ranges and the
    /// integers are the same on any number of ranks.
    /// calibrate  hands over this rank's images, some at a time; is called twice
    /// throws InputError as observe(), or if there are no images
    using Images = std::function<void(std::span<const float> images)>;
    Ranges quantise(const std::function<void(const Images& use)>& calibrate,
                    const comm::Communicator& comm);

    /// Forward, softmax cross-entropy and backward; running statistics move on. gradients() holds
    /// the sum over ranks, whose messages travel while the rest is computed. Collective: every rank
    /// calls it, with 0 samples where it has none left.
    /// images  [count, channels, height, width], count <= options.batch
    /// labels  [count] in [0, classes + inner nodes), or -1: not counted
    /// loss    other labels [count], too, if there are any
    /// update  if given: what is done with the gradients, as part of the step, unless the loss is
    ///         not finite. It gets the losses on the back end, which are to be finite; does the
    ///         same on each call, on the same memory, for it may be recorded and played again
    using Update = std::function<void(const InBackend& all, std::span<const double* const> losses)>;
    StepResult train_step(std::span<const float> images, std::span<const std::int32_t> labels,
                          const LossOptions& loss, const StepKey& key, const Update& update = {});
    /// The same; mixed as the loss's shares say.
    StepResult train_step(const kernels::PictureBatch& pictures,
                          std::span<const std::int32_t> labels, const LossOptions& loss,
                          const StepKey& key, const Update& update = {});

    /// The same for a loss of the whole output that is known elsewhere; in the host's memory.
    /// loss: gets this rank's outputs [count, elements], gives their gradient, returns the loss;
    ///       called once on each rank, with 0 samples too, so it may be collective
    using OutputLoss =
        std::function<double(std::span<const float> outputs, std::span<float> gradient)>;
    double train_step(std::span<const float> images, const OutputLoss& loss, const StepKey& key);

    /// From now on the times of all stages are added up here.
    void take_times(Profile& profile);

    /// Bytes of activations, gradients and back-end scratch planned for the full batch.
    std::int64_t planned_bytes() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

/// "onednn" | "cudnn" | "reference". throws InputError
BackendKind backend_kind(const std::string& name);
/// "f32" | "bf16". throws InputError
Precision precision_of(const std::string& name);

}  // namespace nanoatlas::nn
