// How a depthwise convolution and its data gradient move along the rows or the columns of an image.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace nanoatlas::kernels::onednn {

/// Every step-th output from the first one on: output number i is the sum over t in [0, taps) of
/// input[i * stride - before + t] * weight[first_tap + t * tap_step].
struct Phase {
    std::int64_t first, step, outputs;
    std::int64_t before;
    std::int64_t taps, first_tap, tap_step;
};

/// Correlation of one side of an image with one side of a window.
struct Axis {
    std::int64_t input, output;  ///< pixels
    std::int64_t stride;
    std::vector<Phase> phases;  ///< each output is in one of them

    static Axis forward(std::int64_t input, std::int64_t output, std::int64_t kernel,
                        std::int64_t stride, std::int64_t before) {
        return {input, output, stride, {{0, 1, output, before, kernel, 0, 1}}};
    }
    /// dx from dy. Input pixels meet every stride-th tap alone, so they make a phase each by what
    /// is left of their place on dividing by the stride; kernel >= stride.
    static Axis backward(std::int64_t input, std::int64_t output, std::int64_t kernel,
                         std::int64_t stride, std::int64_t before) {
        Axis axis{output, input, 1, {}};
        for (std::int64_t first = 0; first < std::min(stride, input); ++first) {
            const auto tap = (first + before) % stride, reached = (first + before) / stride;
            const auto taps = (kernel - tap + stride - 1) / stride;
            axis.phases.push_back({first, stride, (input - first + stride - 1) / stride,
                                   taps - 1 - reached, taps, tap + stride * (taps - 1), -stride});
        }
        return axis;
    }

    std::int64_t most_outputs() const { return phases[0].outputs; }
    /// Inputs that all phases' outputs [0, count) read: from -before() on so many.
    std::int64_t before() const { return std::ranges::max(phases, {}, &Phase::before).before; }
    std::int64_t reach(std::int64_t count) const {
        std::int64_t last = 0;
        for (const auto& phase : phases) last = std::max(last, phase.taps - phase.before);
        return (count - 1) * stride + last + before();
    }
};

}  // namespace nanoatlas::kernels::onednn
