// What an optimiser does to flat f32 buffers in a back end's memory, and its arithmetic for one
// value, which all back ends share. Meanings are torch's.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>

namespace nanoatlas::kernels {

enum class UpdateRule { sgd, adamw };

struct UpdateOptions {
    UpdateRule rule = UpdateRule::sgd;
    float momentum = 0;           ///< sgd
    float beta1 = 0, beta2 = 0;   ///< adamw
    float epsilon = 0;            ///< adamw
    double longest_gradient = 0;  ///< by its 2-norm; 0: any
};

/// Values [first, first + count) of the flat buffers, which a step treats alike.
struct UpdateSlice {
    std::int64_t first, count;
};

/// What a step does to the values of a slice.
struct SliceStep {
    float rate = 0;    ///< adamw: over the first moment's bias correction
    float decay = 0;   ///< sgd: of the parameter in its gradient
    float keep = 1;    ///< adamw: of the parameter
    float unbias = 1;  ///< adamw: 1 / root of the second moment's bias correction
};

/// The velocity starts at zero, so the first step sets it to the gradient.
constexpr void update_sgd(float gradient, float momentum, float decay, float rate, float& parameter,
                          float& velocity) {
    velocity = momentum * velocity + (gradient + decay * parameter);
    parameter -= rate * velocity;
}

/// first, second: moments
constexpr void update_adamw(float gradient, float beta1, float beta2, float epsilon, float keep,
                            float rate, float unbias, float& parameter, float& first,
                            float& second) {
    first = beta1 * first + (1 - beta1) * gradient;
    second = beta2 * second + (1 - beta2) * gradient * gradient;
    parameter = keep * parameter - rate * first / (std::sqrt(second) * unbias + epsilon);
}

/// What a gradient of that norm is multiplied by, so that it is no longer than `longest` (Pascanu,
/// Mikolov, Bengio, ICML 2013), as torch's clip_grad_norm_.
constexpr float shortening(double norm, double longest) {
    const auto factor = static_cast<float>(longest / (norm + 1e-6));
    return factor < 1 ? factor : 1.0F;
}

/// A network has an output and an auxiliary one at most.
constexpr int most_losses = 2;

class Updater {
  public:
    virtual ~Updater() = default;
    /// By slice: what step() does from now on.
    virtual void set_steps(std::span<const SliceStep> steps) = 0;
    /// One step. What is in the gradients afterwards is not said.
    /// first   velocity or first moment, begun with zeros; all buffers as long as the gradients
    /// second  second moment; null for sgd
    /// losses  in the back end's memory, at most most_losses: nothing is done if one is not finite
    virtual void step(float* parameters, std::span<float> gradients, float* first, float* second,
                      std::span<const double* const> losses) = 0;
};

}  // namespace nanoatlas::kernels
