// Inside a network: its plans by number of samples, the arena and the parameters that they share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "kernels/cnn.hpp"
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
    std::unique_ptr<kernels::Recording> pack = {}, forward = {}, backward = {};

    void record_with(kernels::Backend& backend) {
        for (auto* each : {&pack, &forward, &backward}) *each = backend.recording();
    }
};

struct Network::State {
    State(const Graph& of, const NetworkOptions& with, const comm::Communicator& world);

    CachedPlan& plan(bool training, std::int64_t samples);
    /// Takes the arena and packs the parameters if need be.
    Run prepare(CachedPlan& cached);
    /// Reads images in and runs the plan for their number by pass(cached, run).
    template <class Pass>
    void evaluate(std::span<const float> images, std::int64_t count, const Pass& pass);
    void check_quantisable() const;
    std::int64_t count_samples(std::span<const float> images) const;
    /// throws InputError on every rank if one of them has a label that is no class. Collective.
    std::int64_t count_over_ranks(std::span<const std::int32_t> labels,
                                  const InnerNodes& inner) const;
    void allocate_parameters();
    void average_buffers(std::int64_t samples, std::int64_t of_all_ranks);
    /// The loss of one output; leaves its gradient in the plan.
    StepResult lose(const Plan& plan, const Plan::Output& output, const Run& run,
                    std::span<const std::int32_t> labels, const LossOptions& options);
    StepResult backward(CachedPlan& cached, const Run& run, std::span<const std::int32_t> labels,
                        const LossOptions& loss);

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
};

template <class Pass>
void Network::State::evaluate(std::span<const float> images, std::int64_t count, const Pass& pass) {
    auto& cached = plan(false, count);
    const Run run = prepare(cached);
    backend->import_images(images.data(), cached.plan.image(0), run.at(cached.plan.input()));
    pass(cached, run);
    last_forward = &cached.plan;
}

}  // namespace nanoatlas::nn
