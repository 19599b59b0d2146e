#include "nn/import/grey.hpp"

#include <algorithm>
#include <numeric>

#include "base/check.hpp"
#include "nn/zoo/zoo.hpp"

namespace nanoatlas::nn {

namespace {

/// For each tap of a stem, sums over the channels: of w / s, and of w m / s.
struct Taps {
    std::int64_t outputs;
    std::vector<double> slope, offset;  ///< [outputs, height * width]
};

Taps sum_channels(const HostTensor& weight, const ModelFile& model) {
    const auto channels = static_cast<std::size_t>(weight.shape[1]);
    const auto kernel = static_cast<std::size_t>(weight.shape[2] * weight.shape[3]);
    const auto outputs = static_cast<std::size_t>(weight.shape[0]);
    Taps taps{weight.shape[0], std::vector<double>(outputs * kernel),
              std::vector<double>(outputs * kernel)};
    for (std::size_t k = 0; k < outputs; ++k)
        for (std::size_t c = 0; c < channels; ++c)
            for (std::size_t p = 0; p < kernel; ++p) {
                const double w = weight.values[(k * channels + c) * kernel + p] / model.std[c];
                taps.slope[k * kernel + p] += w;
                taps.offset[k * kernel + p] += w * model.mean[c];
            }
    return taps;
}

/// M with the least sum of (slope M - offset)^2 over all taps.
double best_mean(const Taps& taps) {
    const auto dot = [](const auto& a, const auto& b) {
        return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
    };
    const double norm = dot(taps.slope, taps.slope);
    return norm > 0 ? dot(taps.slope, taps.offset) / norm : 0;
}

/// What the stem's outputs are to be shifted by, and the sign with which this shows there.
struct ShiftTarget {
    std::string name;
    double sign;
};

ShiftTarget shift_target(const Graph& graph, const std::string& stem, const TensorMap& tensors) {
    if (tensors.contains(stem + ".bias")) return {stem + ".bias", 1};
    const int node = graph.find(stem).node;
    for (const auto& next : graph.nodes())
        if (next.op == Op::batch_norm && next.inputs.front() == node)
            return {next.name + ".running_mean", -1};
    throw InputError(
        fmt::format("cannot fold '{}' to grey: its first layer has neither a bias nor a norm "
                    "behind it; import it "
                    "with --grey off",
                    stem));
}

}  // namespace

void fold_to_grey(ModelFile& model) {
    if (model.is_grey()) return;
    const auto stem = zoo::ends(model.arch).stem;
    const auto graph =
        zoo::make(model.arch,
                  {.classes = static_cast<std::int64_t>(model.classes.size()), .size = model.size});
    auto& weight = model.tensors.at(stem + ".weight");
    const auto taps = sum_channels(weight, model);
    const double mean = best_mean(taps);
    const double std = std::accumulate(model.std.begin(), model.std.end(), 0.0) /
                       static_cast<double>(model.std.size());

    weight.shape[1] = 1;
    weight.values.resize(taps.slope.size());
    std::ranges::transform(taps.slope, weight.values.begin(),
                           [&](double slope) { return static_cast<float>(std * slope); });
    const auto target = shift_target(graph, stem, model.tensors);
    auto& shifted = model.tensors.at(target.name).values;
    const auto kernel = taps.slope.size() / static_cast<std::size_t>(taps.outputs);
    for (std::size_t k = 0; k < shifted.size(); ++k) {
        double rest = 0;
        for (std::size_t p = k * kernel; p < (k + 1) * kernel; ++p)
            rest += taps.slope[p] * mean - taps.offset[p];
        shifted[k] = static_cast<float>(shifted[k] + target.sign * rest);
    }
    model.mean = {mean};
    model.std = {std};
}

}  // namespace nanoatlas::nn
