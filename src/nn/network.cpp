#include "nn/network.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "base/memory.hpp"
#include "kernels/onednn/onednn.hpp"
#include "nn/network_state.hpp"
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

/// Every rank of the node wants as much as the neediest, of the host's memory or of its device's.
/// Collective.
void check_memory(std::int64_t bytes, std::int64_t batch, const kernels::Backend& backend,
                  const Communicator& comm) {
    constexpr double gibibyte = 1 << 30;
    const bool on_host = backend.shares_host_memory();
    const auto needed = comm.max(bytes) * (on_host ? comm.node().size() : 1);
    const auto available = comm.min(on_host ? base::available_memory() : backend.available_bytes());
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

Network::InBackend Network::in_backend() {
    return state_->in_backend();
}

bool Network::take_pictures(const kernels::PictureFormat& format, const std::uint8_t* all,
                            std::int64_t count) {
    auto& state = *state_;
    state.reader = state.backend->picture_reader(format);
    if (!state.reader) return false;
    for (auto& each : state.plans) each.record_with(*state.backend);
    const auto left = state.backend->available_bytes() - planned_bytes();
    if (count > 0 && count * format.input.height * format.input.width <= left / 2)
        state.reader->hold(all, count);
    return true;
}

bool Network::takes_pictures() const {
    return state_->reader != nullptr;
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
    state.evaluate(count, state.read_images(images), &CachedPlan::play_forward);
    return state.logits = value(state.name_of_output());
}

std::span<const float> Network::forward(const kernels::PictureBatch& pictures) {
    auto& state = *state_;
    state.logits.clear();
    if (pictures.views.empty()) return state.logits;
    state.reader->set_batch(pictures);
    state.evaluate(std::ssize(pictures.views), state.read_pictures(), &CachedPlan::play_forward);
    return state.logits = value(state.name_of_output());
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
    state.evaluate(count, state.read_images(images), [&](CachedPlan& cached, const Run& run) {
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

    const auto kept = state.kept(false);
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
                               const LossOptions& loss, const StepKey& key, const Update& update) {
    auto& state = *state_;
    const auto read = [&](const CachedPlan& cached, const Run& run) {
        state.read_images(images)(cached.plan.image(0), run.at(cached.plan.input()));
    };
    return state.train(state.count_samples(images), labels, loss, key, update, false, read,
                       [](const CachedPlan&, const Run&) {});
}

StepResult Network::train_step(const kernels::PictureBatch& pictures,
                               std::span<const std::int32_t> labels, const LossOptions& loss,
                               const StepKey& key, const Update& update) {
    auto& state = *state_;
    return state.train(
        std::ssize(labels), labels, loss, key, update, true,
        [&](const CachedPlan&, const Run&) { state.reader->set_batch(pictures); },
        [&](const CachedPlan& cached, const Run& run) {
            state.read_pictures()(cached.plan.image(0), run.at(cached.plan.input()));
        });
}

double Network::train_step(std::span<const float> images, const OutputLoss& loss,
                           const StepKey& key) {
    return state_->train(images, loss, key);
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
