#include "nn/train/gradient.hpp"

namespace nanoatlas::nn {

GradientMean::GradientMean(kernels::Backend& backend, std::int64_t size)
    : backend_(backend), sum_(backend, size) {}

void GradientMean::add(std::span<const float> gradient, double weight) {
    const auto factor = static_cast<float>(weight);
    float* const sum = sum_.changed_by_backend();
    if (is_empty_)
        backend_.multiply(gradient.data(), factor, sum_.size(), sum);
    else
        backend_.accumulate(gradient.data(), factor, sum_.size(), sum);
    is_empty_ = false;
    weight_ += weight;
}

void GradientMean::take(std::span<float> gradient) {
    const auto factor = static_cast<float>(weight_ > 0 ? 1 / weight_ : 0);
    backend_.multiply(sum_.in_backend(), factor, sum_.size(), gradient.data());
    is_empty_ = true;
    weight_ = 0;
}

}  // namespace nanoatlas::nn
