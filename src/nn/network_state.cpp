#include "nn/network_state.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/check.hpp"
#include "base/random.hpp"
#include "nn/gradient_sum.hpp"
#include "nn/loss.hpp"

namespace nanoatlas::nn {
namespace {

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

void freeze_what_no_output_needs(const Graph& graph, std::vector<bool>& trained) {
    const auto of_output = graph.ancestors(graph.output());
    const auto of_auxiliary =
        graph.auxiliary() ? graph.ancestors(graph.auxiliary()->logits) : of_output;
    for (std::size_t node = 0; node < trained.size(); ++node)
        if (!of_output[node] && !of_auxiliary[node]) trained[node] = false;
}

std::vector<bool> trained_nodes(const Graph& graph, const NetworkOptions& options) {
    std::vector<bool> trained(graph.nodes().size(), options.training);
    if (options.training && !options.frozen_to.empty()) {
        trained = graph.ancestors(graph.find(options.frozen_to));
        trained.flip();
    }
    freeze_what_no_output_needs(graph, trained);
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

}  // namespace

Network::State::State(const Graph& of, const NetworkOptions& with, const comm::Communicator& world)
    : graph(of),
      options(with),
      comm(world.duplicate()),
      gradient_comm(world.duplicate()),
      ranks(comm),
      backend(make_backend(with.backend, with.precision, &ranks)),
      trained(trained_nodes(of, with)),
      untrained(of.nodes().size(), false),
      layout(of, fuse(of, trained, kept_nodes(of, with, trained, with.training)).groups, trained) {}

std::vector<bool> Network::State::kept(bool training) const {
    return kept_nodes(graph, options, trained, training);
}

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
                       .kept = kept(training),
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
    last_forward = nullptr;
    return run;
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

void Network::State::check_step(std::int64_t count, std::span<const std::int32_t> labels,
                                const LossOptions& loss) const {
    VALIDATE(loss.class_weights.empty() ||
                 std::ssize(loss.class_weights) == graph.shape(graph.output()).elements(),
             "{} class weights do not fit the network's classes; give one for each",
             loss.class_weights.size());
    VALIDATE(count == std::ssize(labels), "{} images have {} labels; give one for each", count,
             labels.size());
    VALIDATE(loss.other_labels.size() == loss.shares.size() &&
                 (loss.shares.empty() || loss.shares.size() == labels.size()),
             "{} images have {} other labels and {} shares; give one for each", count,
             loss.other_labels.size(), loss.shares.size());
}

void Network::State::prepare_losses(CachedPlan& cached, const InnerNodes& inner) {
    if (!cached.losses.empty() && cached.inner == inner) return;
    cached.inner = inner;
    cached.losses.clear();
    for (const auto& output : cached.plan.outputs())
        cached.losses.push_back(backend->loss({cached.plan.image(output.node), inner}));
    cached.record_with(*backend);
}

void Network::State::backward(CachedPlan& cached, const Run& run) {
    const auto size = static_cast<std::size_t>(gradients->size());
    GradientSum sum({run.gradients, size}, options.bucket_bytes, gradient_comm, *backend);
    cached.plan.backward(run, [&](std::int64_t n) { sum.finished(n); });
    sum.wait();
}

Network::InBackend Network::State::in_backend() {
    ++version;
    const auto all = [](Values& values) {
        return std::span(values.changed_by_backend(), static_cast<std::size_t>(values.size()));
    };
    return {*backend, all(*parameters), gradients ? all(*gradients) : std::span<float>{},
            all(*buffers)};
}

Run Network::State::begin_step(CachedPlan& cached, std::int64_t count, const StepKey& key) {
    if (count == 0) std::ranges::fill(gradients->changed_by_host(), 0.0F);
    Run run = prepare(cached);
    run.dropout_stream = base::Random(key.seed, key.step)();
    run.first_sample = comm.exclusive_sum(count);
    backend->set_step({run.dropout_stream, run.first_sample, 0});
    return run;
}

double Network::State::train(std::span<const float> images, const OutputLoss& loss,
                             const StepKey& key) {
    VALIDATE(!graph.auxiliary(),
             "a loss of the whole output is for networks with one output; this one has an "
             "auxiliary one, too");
    const auto count = count_samples(images);
    auto& cached = plan(true, count);
    const Run run = begin_step(cached, count, key);
    read_images(images)(cached.plan.image(0), run.at(cached.plan.input()));
    cached.plan.pack(run.parameters, run.buffers);
    cached.plan.forward(run);
    const auto& output = cached.plan.outputs()[0];
    const auto& image = cached.plan.image(output.node);
    std::vector<float> outputs(static_cast<std::size_t>(image.elements())),
        gradient(outputs.size());
    backend->export_images(run.at(cached.plan.value(output.node)), image, outputs.data());
    const double result = loss(outputs, gradient);
    backend->import_images(gradient.data(), image, run.at(output.gradient));
    backward(cached, run);
    average_buffers(count, comm.sum(count));
    ++version;
    return result;
}

StepResult Network::State::train(std::int64_t count, std::span<const std::int32_t> labels,
                                 const LossOptions& loss, const StepKey& key, const Update& update,
                                 bool from_pictures, const Action& before, const Action& first) {
    check_step(count, labels, loss);
    const auto of_all_ranks = count_over_ranks(labels, loss.inner);
    count_over_ranks(loss.other_labels, loss.inner);
    auto& cached = plan(true, count);
    const auto& outputs = cached.plan.outputs();
    prepare_losses(cached, loss.inner);
    const Run run = begin_step(cached, count, key);
    before(cached, run);
    auto targets =
        loss_targets(labels, loss, {cached.plan.image(outputs[0].node), loss.inner}, comm);
    std::vector<const double*> losses;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        targets.factor = static_cast<float>(outputs[i].weight);
        cached.losses[i]->set_targets(targets);
        losses.push_back(cached.losses[i]->loss());
    }
    const auto all = in_backend();
    const auto find_result = [&] {
        auto result = loss_result(*cached.losses[0], targets, *backend, comm);
        for (std::size_t i = 1; i < outputs.size(); ++i)
            result.loss +=
                outputs[i].weight * loss_result(*cached.losses[i], targets, *backend, comm).loss;
        return result;
    };
    std::optional<StepResult> result;
    cached.steps[(from_pictures ? 2 : 0) + (update ? 1 : 0)]->play([&] {
        first(cached, run);
        cached.plan.pack(run.parameters, run.buffers);
        cached.plan.forward(run);
        for (std::size_t i = 0; i < outputs.size(); ++i)
            cached.losses[i]->run(run.at(cached.plan.value(outputs[i].node)),
                                  run.at(outputs[i].gradient));
        backward(cached, run);
        if (!update) return;
        // A back end that sums over ranks looks at the losses itself, at its own time.
        if (!backend->sums_over_ranks()) result = find_result();
        if (!result || std::isfinite(result->loss)) update(all, losses);
    });
    if (!result) result = find_result();
    average_buffers(count, of_all_ranks);
    ++version;
    return *result;
}

}  // namespace nanoatlas::nn
