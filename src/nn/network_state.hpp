// Inside a network: its plans by number of samples, the arena and the parameters that they share.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "kernels/cnn.hpp"
#include "kernels/loss.hpp"
#include "nn/backend.hpp"
#include "nn/network.hpp"
#include "nn/plan.hpp"
#include "nn/ranks.hpp"
#include "nn/values.hpp"

namespace nanoatlas::nn {

/// Everything that a pass needs, for one number of samples.
struct CachedPlan {
    Plan plan;
    std::int64_t packed_version = -1;  ///< of the parameters that its primitives hold
    /// What it does, where it is on the present arena; made anew on another.
    std::unique_ptr<kernels::Recording> pack = {}, forward = {};
    /// Training steps: of images or of pictures, without and with an update.
    std::array<std::unique_ptr<kernels::Recording>, 4> steps = {};
    /// By output; and the inner nodes that they were made with.
    std::vector<std::unique_ptr<kernels::Loss>> losses = {};
    InnerNodes inner = {};

    void record_with(kernels::Backend& backend) {
        for (auto* each : {&pack, &forward}) *each = backend.recording();
        for (auto& each : steps) each = backend.recording();
    }
    void play_forward(const Run& run) {
        forward->play([&] { plan.forward(run); });
    }
};

struct Network::State {
    State(const Graph& of, const NetworkOptions& with, const comm::Communicator& world);

    /// By node: its value outlives a pass.
    std::vector<bool> kept(bool training) const;
    CachedPlan& plan(bool training, std::int64_t samples);
    /// Takes the arena if need be.
    Run prepare(CachedPlan& cached);
    /// Reads count samples in by read(image, input) and runs the plan for them by pass(cached,
    /// run).
    template <class Read, class Pass>
    void evaluate(std::int64_t count, const Read& read, const Pass& pass);
    auto read_images(std::span<const float> images) {
        return [this, images](const kernels::ImageShape& image, void* to) {
            backend->import_images(images.data(), image, to);
        };
    }
    auto read_pictures() {
        return
            [this](const kernels::ImageShape& image, void* to) { reader->read(image.samples, to); };
    }
    const std::string& name_of_output() const { return graph.node(graph.output()).name; }
    void check_quantisable() const;
    std::int64_t count_samples(std::span<const float> images) const;
    /// throws InputError on every rank if one of them has a label that is no class. Collective.
    std::int64_t count_over_ranks(std::span<const std::int32_t> labels,
                                  const InnerNodes& inner) const;
    void allocate_parameters();
    void average_buffers(std::int64_t samples, std::int64_t of_all_ranks);
    void check_step(std::int64_t count, std::span<const std::int32_t> labels,
                    const LossOptions& loss) const;
    void prepare_losses(CachedPlan& cached, const InnerNodes& inner);
    /// One step on count samples; before(run) is done before what may be recorded, first(run) is
    /// the beginning of that.
    using Action = std::function<void(const CachedPlan&, const Run&)>;
    StepResult train(std::int64_t count, std::span<const std::int32_t> labels,
                     const LossOptions& loss, const StepKey& key, const Update& update,
                     bool from_pictures, const Action& before, const Action& first);
    double train(std::span<const float> images, const OutputLoss& loss, const StepKey& key);
    Run begin_step(CachedPlan& cached, std::int64_t count, const StepKey& key);
    /// From the losses' gradients on.
    void backward(CachedPlan& cached, const Run& run);
    InBackend in_backend();

    Graph graph;
    NetworkOptions options;
    comm::Communicator comm, gradient_comm;
    CommunicatorRanks ranks;
    std::unique_ptr<kernels::Backend> backend;
    std::vector<bool> trained, untrained;  ///< by node, in training and in evaluation
    ParameterLayout layout;
    std::optional<Values> parameters, gradients, buffers;  // once there is memory for them
    std::int64_t version = 0;                              ///< of parameters and buffers

    std::optional<Quantisation> quantisation;  ///< before the plans, which use it
    std::list<CachedPlan> plans;
    kernels::Memory arena;
    std::int64_t arena_bytes = 0;
    const Plan* last_forward = nullptr;
    Profile* profile = nullptr;
    std::vector<float> logits;
    std::unique_ptr<kernels::PictureReader> reader;
};

template <class Read, class Pass>
void Network::State::evaluate(std::int64_t count, const Read& read, const Pass& pass) {
    auto& cached = plan(false, count);
    const Run run = prepare(cached);
    if (cached.packed_version != version)
        cached.pack->play([&] { cached.plan.pack(run.parameters, run.buffers); });
    cached.packed_version = version;
    read(cached.plan.image(0), run.at(cached.plan.input()));
    std::invoke(pass, cached, run);
    last_forward = &cached.plan;
}

}  // namespace nanoatlas::nn
