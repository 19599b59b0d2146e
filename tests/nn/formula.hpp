// Weights, inputs and labels as functions of a name, so that any program can make them: those of
// ../shared/oracles/nn, described in its NOTES.md.
#pragma once

#include <cmath>
#include <string>
#include <string_view>

#include "base/random.hpp"
#include "nn/graph.hpp"
#include "nn/tensor.hpp"

namespace nanoatlas::testing {

/// Element i of the stream with that name, in [-1, 1).
inline double formula_value(std::string_view name, std::uint64_t i) {
    const auto z = base::mix(base::fnv1a(name) + (i + 1) * 0x9E3779B97F4A7C15ULL);
    return static_cast<double>(z >> 40) / 8388608.0 - 1;
}

inline std::vector<float> formula_values(const std::string& name, std::int64_t count, double scale,
                                         double offset) {
    std::vector<float> values(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = static_cast<float>(offset + scale * formula_value(name, i));
    return values;
}

inline nn::HostTensor formula_tensor(const nn::TensorSpec& spec) {
    const auto draw = [&](double scale, double offset) {
        return nn::HostTensor{spec.shape,
                              formula_values(spec.name, spec.elements(), scale, offset)};
    };
    if (spec.kind == nn::ParameterKind::weight) {
        const auto fan_in = static_cast<double>(spec.elements() / spec.shape[0]);
        return draw(std::sqrt(6 / fan_in), 0);
    }
    if (spec.kind == nn::ParameterKind::scale) return draw(0.05, 0.1);
    const bool is_near_one =
        spec.kind == nn::ParameterKind::norm &&
        (spec.name.ends_with(".weight") || spec.name.ends_with(".running_var"));
    return draw(0.1, is_near_one ? 1 : 0);
}

inline nn::TensorMap formula_tensors(const nn::Graph& graph) {
    nn::TensorMap tensors;
    for (const auto& specs : {graph.parameters(), graph.buffers()})
        for (const auto& spec : specs) tensors[spec.name] = formula_tensor(spec);
    return tensors;
}

}  // namespace nanoatlas::testing
