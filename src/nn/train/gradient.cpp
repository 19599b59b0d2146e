#include "nn/train/gradient.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>

namespace nanoatlas::nn {

void GradientMean::add(std::span<const float> gradient, double weight) {
    sum_.resize(gradient.size(), 0.0F);
    weight_ += weight;
    const auto factor = static_cast<float>(weight);
#pragma omp parallel for simd schedule(static)
    for (std::size_t i = 0; i < gradient.size(); ++i) sum_[i] += factor * gradient[i];
}

void GradientMean::take(std::span<float> gradient) {
    const auto factor = static_cast<float>(weight_ > 0 ? 1 / weight_ : 0);
#pragma omp parallel for simd schedule(static)
    for (std::size_t i = 0; i < gradient.size(); ++i) gradient[i] = factor * sum_[i];
    std::ranges::fill(sum_, 0.0F);
    weight_ = 0;
}

double norm_of(std::span<const float> gradient) {
    constexpr std::size_t block = 1 << 14;
    std::vector<double> squares((gradient.size() + block - 1) / block);
#pragma omp parallel for schedule(static)
    for (std::size_t b = 0; b < squares.size(); ++b) {
        const auto part = gradient.subspan(b * block, std::min(block, gradient.size() - b * block));
        for (const double value : part) squares[b] += value * value;
    }
    return std::sqrt(std::accumulate(squares.begin(), squares.end(), 0.0));
}

double clip_norm(std::span<float> gradient, double longest) {
    const double norm = norm_of(gradient);
    const auto factor = static_cast<float>(longest / (norm + 1e-6));
    if (factor < 1) {
#pragma omp parallel for simd schedule(static)
        for (std::size_t i = 0; i < gradient.size(); ++i) gradient[i] *= factor;
    }
    return norm;
}

}  // namespace nanoatlas::nn
