// Optimisers over the flat f32 buffers of a network, in its back end's memory: SGD with momentum,
// and AdamW.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kernels/updates.hpp"
#include "nn/values.hpp"

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
    double clip = 0;  ///< longest gradient, by its 2-norm; 0: any
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
    /// size: values in the whole buffer. The back end must outlive it.
    Optimizer(const OptimizerSettings& settings, std::vector<ParameterSlice> slices,
              std::size_t size, kernels::Backend& backend);

    /// Both parts of one step; the first one is the host's, the second may be recorded and played
    /// again. gradients: as long as the size given at construction, parameters at least; both in
    /// the back end's memory, as losses, of which each must be finite. What is in the gradients
    /// afterwards is not said.
    void begin_step(double rate);
    void finish_step(std::span<float> parameters, std::span<float> gradients,
                     std::span<const double* const> losses);
    void step(std::span<float> parameters, std::span<float> gradients, double rate) {
        begin_step(rate);
        finish_step(parameters, gradients, {});
    }

    /// What a checkpoint must keep: one buffer of the whole size for sgd (velocity), two for adamw
    /// (first and second moment), and the number of steps made.
    std::vector<Values>& state() { return state_; }
    const std::vector<Values>& state() const { return state_; }
    std::int64_t steps() const { return steps_; }
    void set_steps(std::int64_t steps) { steps_ = steps; }

  private:
    kernels::SliceStep slice_step(const ParameterSlice& slice, double rate) const;

    OptimizerSettings settings_;
    std::vector<ParameterSlice> slices_;
    std::vector<Values> state_;
    std::unique_ptr<kernels::Updater> updater_;
    std::int64_t steps_ = 0;
};

}  // namespace nanoatlas::nn
