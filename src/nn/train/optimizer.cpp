#include "nn/train/optimizer.hpp"

#include <cmath>

#include "base/check.hpp"

namespace nanoatlas::nn {

OptimizerKind parse_optimizer(const std::string& name) {
    if (name == "sgd") return OptimizerKind::sgd;
    VALIDATE(name == "adamw", "unknown optimizer '{}' (known: sgd, adamw); choose one of these",
             name);
    return OptimizerKind::adamw;
}

Optimizer::Optimizer(const OptimizerSettings& settings, std::vector<ParameterSlice> slices,
                     std::size_t size)
    : settings_(settings), slices_(std::move(slices)) {
    const std::size_t buffers = settings.kind == OptimizerKind::adamw ? 2 : 1;
    state_.assign(buffers, std::vector<float>(size, 0.0F));
}

void Optimizer::step(std::span<float> parameters, std::span<const float> gradients, double rate) {
    ASSERT(parameters.size() == state_[0].size() && gradients.size() == state_[0].size());
    ++steps_;
    for (const auto& slice : slices_) {
        const double own_rate = rate * slice.rate_factor;
        if (settings_.kind == OptimizerKind::adamw)
            step_adamw(slice, parameters, gradients, own_rate);
        else
            step_sgd(slice, parameters, gradients, own_rate);
    }
}

void Optimizer::step_sgd(const ParameterSlice& slice, std::span<float> parameters,
                         std::span<const float> gradients, double rate) {
    const auto decay = static_cast<float>(slice.weight_decay);
    const auto momentum = static_cast<float>(settings_.momentum);
    const auto step = static_cast<float>(rate);
    float* const p = parameters.data() + slice.offset;
    float* const v = state_[0].data() + slice.offset;
    const float* const g = gradients.data() + slice.offset;
    // The velocity starts at zero, so the first step sets it to g, as torch does.
#pragma omp parallel for simd schedule(static)
    for (std::size_t i = 0; i < slice.count; ++i) {
        v[i] = momentum * v[i] + (g[i] + decay * p[i]);
        p[i] -= step * v[i];
    }
}

void Optimizer::step_adamw(const ParameterSlice& slice, std::span<float> parameters,
                           std::span<const float> gradients, double rate) {
    const auto t = static_cast<double>(steps_ - slice.first_step);
    const auto keep = static_cast<float>(1 - rate * slice.weight_decay);
    const auto beta1 = static_cast<float>(settings_.beta1);
    const auto beta2 = static_cast<float>(settings_.beta2);
    const auto epsilon = static_cast<float>(settings_.epsilon);
    const auto step = static_cast<float>(rate / (1 - std::pow(settings_.beta1, t)));
    const auto unbias = static_cast<float>(1 / std::sqrt(1 - std::pow(settings_.beta2, t)));
    float* const p = parameters.data() + slice.offset;
    float* const m = state_[0].data() + slice.offset;
    float* const v = state_[1].data() + slice.offset;
    const float* const g = gradients.data() + slice.offset;
#pragma omp parallel for simd schedule(static)
    for (std::size_t i = 0; i < slice.count; ++i) {
        m[i] = beta1 * m[i] + (1 - beta1) * g[i];
        v[i] = beta2 * v[i] + (1 - beta2) * g[i] * g[i];
        p[i] = keep * p[i] - step * m[i] / (std::sqrt(v[i]) * unbias + epsilon);
    }
}

}  // namespace nanoatlas::nn
