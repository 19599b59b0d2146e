#include "kernels/reference/folded_weights.hpp"

#include <cmath>
#include <span>

namespace nanoatlas::kernels::reference {

FoldedWeights::FoldedWeights(const ConvolutionShape& shape, const float* given,
                             const float* given_bias, const Folding& folding)
    : bias(static_cast<std::size_t>(shape.output.channels), 0) {
    const auto per_output = static_cast<std::size_t>(shape.input.channels / shape.groups *
                                                     shape.window.height * shape.window.width);
    weights.assign(given, given + bias.size() * per_output);
    if (given_bias != nullptr) bias.assign(given_bias, given_bias + bias.size());
    const auto weights_of = [&](std::size_t output) {
        return std::span(weights).subspan(output * per_output, per_output);
    };
    if (const auto& norm = folding.norm)
        for (std::size_t i = 0; i < bias.size(); ++i) {
            const double scale = norm->gamma[i] / std::sqrt(norm->variance[i] + norm->eps);
            for (auto& weight : weights_of(i)) weight = static_cast<float>(weight * scale);
            bias[i] = static_cast<float>((bias[i] - norm->mean[i]) * scale + norm->beta[i]);
        }
    if (folding.scale != nullptr)
        for (std::size_t i = 0; i < bias.size(); ++i) {
            for (auto& weight : weights_of(i)) weight *= folding.scale[i];
            bias[i] *= folding.scale[i];
        }
}

}  // namespace nanoatlas::kernels::reference
