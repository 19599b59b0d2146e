#include "nn/network.hpp"

#include <algorithm>
#include <array>
#include <list>
#include <optional>
#include <utility>

#include "base/check.hpp"
#include "base/random.hpp"
#include "kernels/onednn/onednn.hpp"
#include "nn/available_memory.hpp"
#include "nn/backend.hpp"
#include "nn/gradient_sum.hpp"
#include "nn/loss.hpp"
#include "nn/plan.hpp"
#include "nn/ranks.hpp"
#include "nn/values.hpp"
#include "nn/weight_rounder.hpp"

namespace nanoatlas::nn {
namespace {

using comm::Communicator;

void check_options(const Graph& graph, const NetworkOptions& options) {
    constexpr std::int64_t most = 1 << 20;
    VALIDATE(options.batch >= 0 && options.batch <= most,
             "a batch of {} samples a rank is not in [0, {}]; change the batch size", options.batch,
             most);
    for (const auto& name : options.keep) graph.find(name);
    if (!options.frozen_to.empty()) graph.find(options.frozen_to);
    if (!graph.auxiliary()) return;
    const auto logits = graph.auxiliary()->logits;
    VALIDATE(graph.shape(logits) == graph.shape(graph.output()),
             "the auxiliary output '{}' has another number of classes than the network's '{}'; "
             "give both the same",
             graph.node(logits).name, graph.node(graph.output()).name);
}

/// An auxiliary output helps to train what it shares with the output; where all of that is frozen,
/// it is, too.
void freeze_needless_auxiliary(const Graph& graph, std::vector<bool>& trained) {
    if (!graph.auxiliary()) return;
    const auto of_output = graph.ancestors(graph.output());
    const auto of_auxiliary = graph.ancestors(graph.auxiliary()->logits);
    for (const auto& spec : graph.parameters()) {
        const auto node = static_cast<std::size_t>(spec.node);
        if (trained[node] && of_output[node] && of_auxiliary[node]) return;
    }
    for (std::size_t node = 0; node < trained.size(); ++node)
        if (!of_output[node]) trained[node] = false;
}

std::vector<bool> trained_nodes(const Graph& graph, const NetworkOptions& options) {
    std::vector<bool> trained(graph.nodes().size(), options.training);
    if (options.training && !options.frozen_to.empty()) {
        trained = graph.ancestors(graph.find(options.frozen_to));
        trained.flip();
    }
    freeze_needless_auxiliary(graph, trained);
    return trained;
}

/// Nodes whose values outlive a pass.
std::vector<bool> kept_nodes(const Graph& graph, const NetworkOptions& options,
                             const std::vector<bool>& trained, bool training) {
    std::vector<bool> kept(graph.nodes().size(), false);
    const auto keep = [&](Value x) { kept[static_cast<std::size_t>(x.node)] = true; };
    keep(graph.output());
    if (training) {
        const auto& auxiliary = graph.auxiliary();
        if (auxiliary && trained[static_cast<std::size_t>(auxiliary->logits.node)])
            keep(auxiliary->logits);
        return kept;
    }
    keep(graph.features());
    for (const auto& name : options.keep) keep(graph.find(name));
    return kept;
}

/// Every rank of the node wants as much as the neediest, of the host's memory or of its device's.
/// Collective.
void check_memory(std::int64_t bytes, std::int64_t batch, const kernels::Backend& backend,
                  const Communicator& comm) {
    constexpr double gibibyte = 1 << 30;
    const bool on_host = backend.shares_host_memory();
    const auto needed = comm.max(bytes) * (on_host ? comm.node().size() : 1);
    const auto available = comm.min(on_host ? available_memory() : backend.available_bytes());
    VALIDATE(!comm.any(needed > available),
             "the network needs {:.1f} GiB a {} for batches of {} samples a rank, and {:.1f} GiB "
             "are free (it would run out of memory); use a smaller batch, smaller images, fewer "
             "ranks a node or bf16",
             static_cast<double>(needed) / gibibyte, on_host ? "node" : "rank on its device",
             comm.max(batch), static_cast<double>(available) / gibibyte);
}

void copy_tensor(const TensorMap& tensors, const ParameterSlot& slot, float* buffer,
                 std::string& missing, std::string& misfits) {
    const auto found = tensors.find(slot.name);
    if (found == tensors.end())
        missing += " " + slot.name;
    else if (found->second.shape != slot.shape || std::ssize(found->second.values) != slot.size)
        misfits += " " + slot.name;
    else
        std::ranges::copy(found->second.values, buffer + slot.offset);
}

}  // namespace

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
    State(const Graph& of, const NetworkOptions& with, const Communicator& world)
        : graph(of),
          options(with),
          comm(world.duplicate()),
          gradient_comm(world.duplicate()),
          ranks(comm),
          backend(make_backend(with.backend, with.precision, &ranks)),
          trained(trained_nodes(of, with)),
          untrained(of.nodes().size(), false),
          layout(of, fuse(of, trained, kept_nodes(of, with, trained, with.training)).groups,
                 trained) {}

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
    Communicator comm, gradient_comm;
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

CachedPlan& Network::State::plan(bool training, std::int64_t samples) {
    for (auto& cached : plans)
        if (cached.plan.is_training() == training && cached.plan.samples() == samples)
            return cached;
    // Beside the full batch's, the last partial one's is kept.
    plans.remove_if([&](const CachedPlan& cached) {
        return cached.plan.is_training() == training && cached.plan.samples() != options.batch;
    });
    PlanOptions wanted{.samples = samples,
                       .training = training,
                       .trained = training ? trained : untrained,
                       .kept = kept_nodes(graph, options, trained, training),
                       .ranks = options.sync_batch_norm && comm.size() > 1 ? &ranks : nullptr,
                       .quantisation = quantisation ? &*quantisation : nullptr};
    const auto fusion = fuse(graph, wanted.trained, wanted.kept);
    plans.push_back({.plan = Plan(graph, fusion, layout, wanted, *backend)});
    plans.back().record_with(*backend);
    return plans.back();
}

Run Network::State::prepare(CachedPlan& cached) {
    if (cached.plan.arena_bytes() > arena_bytes) {
        arena.reset();
        arena = backend->allocate(cached.plan.arena_bytes());
        arena_bytes = cached.plan.arena_bytes();
        for (auto& each : plans) each.record_with(*backend);
    }
    const bool training = cached.plan.is_training();
    const Run run{.backend = *backend,
                  .arena = static_cast<std::byte*>(arena.get()),
                  .offsets = cached.plan.offsets().data(),
                  .parameters = parameters->in_backend(),
                  .gradients = training ? gradients->changed_by_backend() : nullptr,
                  .buffers = training ? buffers->changed_by_backend() : buffers->in_backend(),
                  .dropout_stream = 0,
                  .first_sample = 0,
                  .profile = profile};
    if (cached.packed_version != version)
        cached.pack->play([&] { cached.plan.pack(run.parameters, run.buffers); });
    cached.packed_version = version;
    last_forward = nullptr;
    return run;
}

template <class Pass>
void Network::State::evaluate(std::span<const float> images, std::int64_t count, const Pass& pass) {
    auto& cached = plan(false, count);
    const Run run = prepare(cached);
    backend->import_images(images.data(), cached.plan.image(0), run.at(cached.plan.input()));
    pass(cached, run);
    last_forward = &cached.plan;
}

void Network::State::check_quantisable() const {
    VALIDATE(options.backend == BackendKind::onednn && backend->precision() == Precision::f32,
             "8-bit integers are computed by onednn, after a look at the values in f32; choose "
             "that back end");
}

std::int64_t Network::State::count_samples(std::span<const float> images) const {
    const auto elements = graph.shape(graph.input()).elements();
    const auto count = std::ssize(images) / elements;
    VALIDATE(
        count * elements == std::ssize(images) && count <= options.batch,
        "{} values are not images of {} values each, at most {} of them; change the batch size",
        images.size(), elements, options.batch);
    return count;
}

std::int64_t Network::State::count_over_ranks(std::span<const std::int32_t> labels,
                                              const InnerNodes& inner) const {
    const auto classes = graph.shape(graph.output()).elements();
    const auto end = classes + std::ssize(inner);
    std::array<std::int64_t, 2> counts{
        std::ssize(labels),
        std::ranges::count_if(labels, [&](auto label) { return label >= end; })};
    comm.sum(std::span<std::int64_t>(counts));
    VALIDATE(counts[1] == 0,
             "{} labels are none of the network's {} classes; give the network more classes",
             counts[1], classes);
    return counts[0];
}

void Network::State::allocate_parameters() {
    parameters.emplace(*backend, layout.size());
    buffers.emplace(*backend, layout.buffer_size());
    if (options.training) gradients.emplace(*backend, layout.trained_size());
}

/// Ranks that took statistics of their own go on with the mean, by their samples.
void Network::State::average_buffers(std::int64_t samples, std::int64_t of_all_ranks) {
    if (options.sync_batch_norm || comm.size() == 1 || of_all_ranks == 0) return;
    const float part = static_cast<float>(samples) / static_cast<float>(of_all_ranks);
    const auto values = buffers->changed_by_host();
    for (auto& value : values) value *= part;
    comm.sum(values);
}

StepResult Network::State::lose(const Plan& plan, const Plan::Output& output, const Run& run,
                                std::span<const std::int32_t> labels,
                                const LossOptions& loss_options) {
    const auto image = plan.image(output.node);
    const auto classes = graph.shape({output.node}).elements();
    logits.resize(static_cast<std::size_t>(image.elements()));
    backend->export_images(run.at(plan.value(output.node)), image, logits.data());
    auto loss = softmax_cross_entropy(logits, labels, classes, loss_options, comm);
    for (auto& value : loss.gradient) value *= static_cast<float>(output.weight);
    backend->import_images(loss.gradient.data(), image, run.at(output.gradient));
    return loss.result;
}

StepResult Network::State::backward(CachedPlan& cached, const Run& run,
                                    std::span<const std::int32_t> labels,
                                    const LossOptions& loss_options) {
    auto& plan = cached.plan;
    const auto& outputs = plan.outputs();
    auto result = lose(plan, outputs[0], run, labels, loss_options);
    for (const auto& output : std::span(outputs).subspan(1))
        result.loss += output.weight * lose(plan, output, run, labels, loss_options).loss;

    cached.backward->play([&] {
        const auto size = static_cast<std::size_t>(gradients->size());
        GradientSum sum({run.gradients, size}, options.bucket_bytes, gradient_comm, *backend);
        plan.backward(run, [&](std::int64_t n) { sum.finished(n); });
        sum.wait();
    });
    return result;
}

Network::Network(const Graph& graph, const NetworkOptions& options, const Communicator& comm) {
    check_options(graph, options);
    state_ = std::make_unique<State>(graph, options, comm);
    const std::int64_t copies = options.training ? 5 : 2;  // gradients, packed for each pass
    const std::int64_t own = copies * graph.parameter_count() * std::int64_t{sizeof(float)};
    check_memory(own, options.batch, *state_->backend, comm);
    const auto& plan = state_->plan(options.training, options.batch).plan;
    check_memory(own + plan.arena_bytes() + state_->backend->scratch_bytes(), options.batch,
                 *state_->backend, comm);
    state_->allocate_parameters();
}

Network::~Network() = default;
Network::Network(Network&&) noexcept = default;

Precision Network::precision() const {
    return state_->backend->precision();
}
const Graph& Network::graph() const {
    return state_->graph;
}
const std::vector<ParameterSlot>& Network::slots() const {
    return state_->layout.slots();
}
std::span<float> Network::gradients() {
    return state_->gradients ? state_->gradients->changed_by_host() : std::span<float>{};
}

std::span<float> Network::parameters() {
    ++state_->version;
    return state_->parameters->changed_by_host();
}

std::span<float> Network::buffers() {
    ++state_->version;
    return state_->buffers->changed_by_host();
}

void Network::load(const TensorMap& tensors) {
    std::string missing, misfits;
    const auto parameters = state_->parameters->changed_by_host();
    for (const auto& slot : state_->layout.slots())
        copy_tensor(tensors, slot, parameters.data(), missing, misfits);
    const auto buffers = state_->buffers->changed_by_host();
    for (const auto& slot : state_->layout.buffer_slots())
        copy_tensor(tensors, slot, buffers.data(), missing, misfits);
    ++state_->version;
    if (state_->quantisation) {
        state_->last_forward = nullptr;
        state_->plans.clear();
        state_->quantisation.reset();
    }
    VALIDATE(missing.empty(),
             "the model lacks tensors of the network (is it of another architecture?); missing:{}",
             missing);
    VALIDATE(misfits.empty(),
             "tensors of the model have other shapes than the network's (another number of classes "
             "or channels?); these:{}",
             misfits);
}

TensorMap Network::tensors() const {
    TensorMap tensors;
    const auto copy = [&](const ParameterSlot& slot, const Values& values) {
        const auto first = values.on_host().begin() + slot.offset;
        tensors[slot.name] = {slot.shape, std::vector<float>(first, first + slot.size)};
    };
    for (const auto& slot : state_->layout.slots()) copy(slot, *state_->parameters);
    for (const auto& slot : state_->layout.buffer_slots()) copy(slot, *state_->buffers);
    return tensors;
}

std::span<const float> Network::forward(std::span<const float> images) {
    auto& state = *state_;
    state.logits.clear();
    const auto count = state.count_samples(images);
    if (count == 0) return state.logits;
    state.evaluate(images, count, [](CachedPlan& cached, const Run& run) {
        cached.forward->play([&] { cached.plan.forward(run); });
    });
    state.logits =
        value(state.graph.nodes()[static_cast<std::size_t>(state.graph.output().node)].name);
    return state.logits;
}

std::vector<float> Network::value(const std::string& name) const {
    const int node = state_->graph.find(name).node;
    const auto* plan = state_->last_forward;
    if (plan == nullptr) return {};
    VALIDATE(
        plan->value(node) >= 0,
        "the values of layer '{}' were not kept (they are fused away); name it when the network "
        "is made",
        name);
    const auto& image = plan->image(node);
    std::vector<float> values(static_cast<std::size_t>(image.elements()));
    const auto* arena = static_cast<const std::byte*>(state_->arena.get());
    state_->backend->export_images(
        arena + plan->offsets()[static_cast<std::size_t>(plan->value(node))], image, values.data());
    return values;
}

void Network::observe(std::span<const float> images, const Observe& use) {
    auto& state = *state_;
    state.check_quantisable();
    ASSERT(!state.quantisation);
    const auto count = state.count_samples(images);
    if (count == 0) return;
    state.evaluate(images, count, [&](CachedPlan& cached, const Run& run) {
        auto& plan = cached.plan;
        const auto see = [&](int node, int buffer) {
            const auto elements = static_cast<std::size_t>(plan.image(node).elements());
            use(state.graph.nodes()[static_cast<std::size_t>(node)].name, plan.image(node),
                {static_cast<const float*>(run.at(buffer)), elements});
        };
        see(0, plan.input());
        plan.observe(run, see);
    });
}

Ranges Network::quantise(const std::function<void(const Images& use)>& calibrate,
                         const Communicator& comm) {
    auto& state = *state_;
    state.check_quantisable();
    ASSERT(!state.options.training);
    RangeFinder finder;
    calibrate([&](std::span<const float> images) { finder.add(*this, images); });
    auto ranges = finder.ranges(*this, comm);
    VALIDATE(!ranges.empty(),
             "none of the images chosen to calibrate 8-bit integers could be read; use f32");

    const auto kept = kept_nodes(state.graph, state.options, state.trained, false);
    const auto fusion = fuse(state.graph, state.untrained, kept);
    const Wiring wiring(state.graph, fusion, state.layout, state.untrained, 1, nullptr,
                        *state.backend);
    Quantisation quantisation{.formats = choose_formats(fusion, ranges, wiring),
                              .weights = {},
                              .backend = kernels::onednn::make_quantised_backend()};
    WeightRounder rounder(fusion, wiring, computed_on_integers(fusion, kept, wiring),
                          quantisation.formats);
    calibrate([&](std::span<const float> images) {
        observe(images, [&](const std::string& node, const kernels::ImageShape&,
                            std::span<const float> values) { rounder.add(node, values); });
    });
    quantisation.weights =
        rounder.round(state.parameters->on_host().data(), state.buffers->on_host().data(),
                      *quantisation.backend, comm);
    state.last_forward = nullptr;
    state.plans.clear();
    state.quantisation.emplace(std::move(quantisation));
    return ranges;
}

StepResult Network::train_step(std::span<const float> images, std::span<const std::int32_t> labels,
                               const LossOptions& loss, const StepKey& key) {
    auto& state = *state_;
    const auto count = state.count_samples(images);
    VALIDATE(loss.class_weights.empty() || std::ssize(loss.class_weights) ==
                                               state.graph.shape(state.graph.output()).elements(),
             "{} class weights do not fit the network's classes; give one for each",
             loss.class_weights.size());
    VALIDATE(count == std::ssize(labels), "{} images have {} labels; give one for each", count,
             labels.size());
    VALIDATE(loss.other_labels.size() == loss.shares.size() &&
                 (loss.shares.empty() || loss.shares.size() == labels.size()),
             "{} images have {} other labels and {} shares; give one for each", count,
             loss.other_labels.size(), loss.shares.size());
    const auto of_all_ranks = state.count_over_ranks(labels, loss.inner);
    state.count_over_ranks(loss.other_labels, loss.inner);
    auto& cached = state.plan(true, count);
    if (count == 0) std::ranges::fill(state.gradients->changed_by_host(), 0.0F);
    Run run = state.prepare(cached);
    run.dropout_stream = base::Random(key.seed, key.step)();
    run.first_sample = state.comm.exclusive_sum(count);
    state.backend->set_step({run.dropout_stream, run.first_sample, 0});
    state.backend->import_images(images.data(), cached.plan.image(0), run.at(cached.plan.input()));
    cached.forward->play([&] { cached.plan.forward(run); });
    const auto result = state.backward(cached, run, labels, loss);
    state.average_buffers(count, of_all_ranks);
    ++state.version;
    return result;
}

void Network::take_times(Profile& profile) {
    state_->profile = &profile;
}

std::int64_t Network::planned_bytes() const {
    std::int64_t bytes = state_->backend->scratch_bytes();
    std::int64_t arena = 0;
    for (const auto& cached : state_->plans) arena = std::max(arena, cached.plan.arena_bytes());
    return bytes + arena;
}

}  // namespace nanoatlas::nn
