// Optimisers over the flat f32 buffers of a network: SGD with momentum, and AdamW.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace nanoatlas::nn {

enum class OptimizerKind { sgd, adamw };

/// throws InputError for anything but "sgd" and "adamw"
OptimizerKind parse_optimizer(const std::string& name);

struct OptimizerSettings {
    OptimizerKind kind = OptimizerKind::sgd;
    double momentum = 0.9;  ///< sgd
    double beta1 = 0.9;     ///< adamw
    double beta2 = 0.999;
    double epsilon = 1e-8;
};

/// Parameters [offset, offset + count) of the flat buffer, updated together. What no slice covers
/// is frozen.
struct ParameterSlice {
    std::size_t offset = 0;
    std::size_t count = 0;
    double weight_decay = 0;
    double rate_factor = 1;       ///< of the step's learning rate
    std::int64_t first_step = 0;  ///< steps made before this slice was trained
};

/// Torch's semantics. SGD: g += decay * p; v = momentum * v + g; p -= rate * v. AdamW (Loshchilov,
/// Hutter, ICLR 2019): p *= 1 - rate * decay, then Adam with bias correction.
class Optimizer {
  public:
    /// size: values in the whole buffer
    Optimizer(const OptimizerSettings& settings, std::vector<ParameterSlice> slices,
              std::size_t size);

    /// One update. The buffers have the size given at construction.
    void step(std::span<float> parameters, std::span<const float> gradients, double rate);

    /// What a checkpoint must keep: one buffer of the whole size for sgd (velocity), two for adamw
    /// (first and second moment), and the number of steps made.
    std::vector<std::vector<float>>& state() { return state_; }
    const std::vector<std::vector<float>>& state() const { return state_; }
    std::int64_t steps() const { return steps_; }
    void set_steps(std::int64_t steps) { steps_ = steps; }

  private:
    void step_sgd(const ParameterSlice& slice, std::span<float> parameters,
                  std::span<const float> gradients, double rate);
    void step_adamw(const ParameterSlice& slice, std::span<float> parameters,
                    std::span<const float> gradients, double rate);

    OptimizerSettings settings_;
    std::vector<ParameterSlice> slices_;
    std::vector<std::vector<float>> state_;
    std::int64_t steps_ = 0;
};

}  // namespace nanoatlas::nn
