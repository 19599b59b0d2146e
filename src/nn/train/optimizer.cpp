#include "nn/train/optimizer.hpp"

#include <cmath>

#include "base/check.hpp"

namespace nanoatlas::nn {
namespace {

kernels::UpdateOptions rule_of(const OptimizerSettings& settings) {
    return {.rule = settings.kind == OptimizerKind::adamw ? kernels::UpdateRule::adamw
                                                          : kernels::UpdateRule::sgd,
            .momentum = static_cast<float>(settings.momentum),
            .beta1 = static_cast<float>(settings.beta1),
            .beta2 = static_cast<float>(settings.beta2),
            .epsilon = static_cast<float>(settings.epsilon),
            .longest_gradient = settings.clip};
}

}  // namespace

OptimizerKind parse_optimizer(const std::string& name) {
    if (name == "sgd") return OptimizerKind::sgd;
    VALIDATE(name == "adamw", "unknown optimizer '{}' (known: sgd, adamw); choose one of these",
             name);
    return OptimizerKind::adamw;
}

Optimizer::Optimizer(const OptimizerSettings& settings, std::vector<ParameterSlice> slices,
                     std::size_t size, kernels::Backend& backend)
    : settings_(settings), slices_(std::move(slices)) {
    const int buffers = settings.kind == OptimizerKind::adamw ? 2 : 1;
    for (int i = 0; i < buffers; ++i) state_.emplace_back(backend, static_cast<std::int64_t>(size));
    std::vector<kernels::UpdateSlice> places;
    for (const auto& slice : slices_)
        places.push_back(
            {static_cast<std::int64_t>(slice.offset), static_cast<std::int64_t>(slice.count)});
    updater_ = backend.updater(rule_of(settings), places);
}

void Optimizer::begin_step(double rate) {
    ++steps_;
    std::vector<kernels::SliceStep> steps;
    for (const auto& slice : slices_) steps.push_back(slice_step(slice, rate * slice.rate_factor));
    updater_->set_steps(steps);
    for (auto& values : state_) values.changed_by_backend();  // an upload is not for a recording
}

void Optimizer::finish_step(std::span<float> parameters, std::span<float> gradients,
                            std::span<const double* const> losses) {
    ASSERT(parameters.size() >= gradients.size() && std::ssize(gradients) == state_[0].size());
    updater_->step(parameters.data(), gradients, state_[0].changed_by_backend(),
                   state_.size() > 1 ? state_[1].changed_by_backend() : nullptr, losses);
}

kernels::SliceStep Optimizer::slice_step(const ParameterSlice& slice, double rate) const {
    if (settings_.kind == OptimizerKind::sgd)
        return {.rate = static_cast<float>(rate), .decay = static_cast<float>(slice.weight_decay)};
    const auto t = static_cast<double>(steps_ - slice.first_step);
    return {.rate = static_cast<float>(rate / (1 - std::pow(settings_.beta1, t))),
            .keep = static_cast<float>(1 - rate * slice.weight_decay),
            .unbias = static_cast<float>(1 / std::sqrt(1 - std::pow(settings_.beta2, t)))};
}

}  // namespace nanoatlas::nn
