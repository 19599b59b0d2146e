#include "kernels/onednn/updates.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

namespace nanoatlas::kernels::onednn {
namespace {

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

class HostUpdater final : public Updater {
  public:
    HostUpdater(const UpdateOptions& options, std::span<const UpdateSlice> slices)
        : options_(options), slices_(slices.begin(), slices.end()) {}

    void set_steps(std::span<const SliceStep> steps) override {
        steps_.assign(steps.begin(), steps.end());
    }

    void step(float* parameters, std::span<float> gradients, float* first, float* second,
              std::span<const double* const> losses) override {
        for (const double* loss : losses)
            if (!std::isfinite(*loss)) return;
        if (options_.longest_gradient > 0) {
            const float factor = shortening(norm_of(gradients), options_.longest_gradient);
            if (factor < 1)
                multiply(gradients.data(), factor, std::ssize(gradients), gradients.data());
        }
        for (std::size_t i = 0; i < slices_.size(); ++i) {
            const auto at = slices_[i].first, count = slices_[i].count;
            if (options_.rule == UpdateRule::sgd)
                step_sgd(steps_[i], count, gradients.data() + at, parameters + at, first + at);
            else
                step_adamw(steps_[i], count, gradients.data() + at, parameters + at, first + at,
                           second + at);
        }
    }

  private:
    void step_sgd(const SliceStep& by, std::int64_t count, const float* g, float* p,
                  float* v) const {
        const float momentum = options_.momentum, decay = by.decay, rate = by.rate;
#pragma omp parallel for simd schedule(static)
        for (std::int64_t i = 0; i < count; ++i)
            update_sgd(g[i], momentum, decay, rate, p[i], v[i]);
    }
    void step_adamw(const SliceStep& by, std::int64_t count, const float* g, float* p, float* m,
                    float* v) const {
        const float beta1 = options_.beta1, beta2 = options_.beta2, epsilon = options_.epsilon;
        const float keep = by.keep, rate = by.rate, unbias = by.unbias;
#pragma omp parallel for simd schedule(static)
        for (std::int64_t i = 0; i < count; ++i)
            update_adamw(g[i], beta1, beta2, epsilon, keep, rate, unbias, p[i], m[i], v[i]);
    }

    UpdateOptions options_;
    std::vector<UpdateSlice> slices_;
    std::vector<SliceStep> steps_;
};

}  // namespace

void multiply(const float* x, float factor, std::int64_t count, float* y) {
#pragma omp parallel for simd schedule(static)
    for (std::int64_t i = 0; i < count; ++i) y[i] = factor * x[i];
}

void accumulate(const float* x, float factor, std::int64_t count, float* sum) {
#pragma omp parallel for simd schedule(static)
    for (std::int64_t i = 0; i < count; ++i) sum[i] += factor * x[i];
}

void approach(const float* x, float part, std::int64_t count, float* average) {
#pragma omp parallel for simd schedule(static)
    for (std::int64_t i = 0; i < count; ++i) average[i] += part * (x[i] - average[i]);
}

std::unique_ptr<Updater> make_updater(const UpdateOptions& options,
                                      std::span<const UpdateSlice> slices) {
    return std::make_unique<HostUpdater>(options, slices);
}

}  // namespace nanoatlas::kernels::onednn
