#include "kernels/reference/updates.hpp"

#include <vector>

namespace nanoatlas::kernels::reference {
namespace {

class ReferenceUpdater final : public Updater {
  public:
    ReferenceUpdater(const UpdateOptions& options, std::span<const UpdateSlice> slices)
        : options_(options), slices_(slices.begin(), slices.end()) {}

    void set_steps(std::span<const SliceStep> steps) override {
        steps_.assign(steps.begin(), steps.end());
    }

    void step(float* parameters, std::span<float> gradients, float* first, float* second,
              std::span<const double* const> losses) override {
        for (const double* loss : losses)
            if (!std::isfinite(*loss)) return;
        double squares = 0, factor = 1;
        for (const double value : gradients) squares += value * value;
        const double longest = options_.longest_gradient;
        if (longest > 0 && std::sqrt(squares) > longest) factor = longest / std::sqrt(squares);
        for (std::size_t s = 0; s < slices_.size(); ++s)
            for (auto i = slices_[s].first; i < slices_[s].first + slices_[s].count; ++i) {
                const double gradient = factor * gradients[static_cast<std::size_t>(i)];
                if (options_.rule == UpdateRule::sgd)
                    step_sgd(steps_[s], gradient, parameters[i], first[i]);
                else
                    step_adamw(steps_[s], gradient, parameters[i], first[i], second[i]);
            }
    }

  private:
    void step_sgd(const SliceStep& by, double gradient, float& parameter, float& velocity) const {
        const double v = options_.momentum * velocity + gradient + by.decay * parameter;
        velocity = static_cast<float>(v);
        parameter = static_cast<float>(parameter - by.rate * v);
    }
    void step_adamw(const SliceStep& by, double gradient, float& parameter, float& first,
                    float& second) const {
        const double beta1 = options_.beta1, beta2 = options_.beta2;
        const double m = beta1 * first + (1 - beta1) * gradient;
        const double v = beta2 * second + (1 - beta2) * gradient * gradient;
        first = static_cast<float>(m);
        second = static_cast<float>(v);
        parameter = static_cast<float>(by.keep * parameter -
                                       by.rate * m / (std::sqrt(v) * by.unbias + options_.epsilon));
    }

    UpdateOptions options_;
    std::vector<UpdateSlice> slices_;
    std::vector<SliceStep> steps_;
};

}  // namespace

std::unique_ptr<Updater> make_updater(const UpdateOptions& options,
                                      std::span<const UpdateSlice> slices) {
    return std::make_unique<ReferenceUpdater>(options, slices);
}

}  // namespace nanoatlas::kernels::reference
