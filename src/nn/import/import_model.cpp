#include "nn/import/import_model.hpp"

#include <numeric>
#include <utility>

#include "base/check.hpp"
#include "nn/import/grey.hpp"
#include "nn/import/weights.hpp"
#include "nn/zoo/zoo.hpp"

namespace nanoatlas::nn {

namespace {

std::vector<std::string> numbered_classes(std::int64_t count) {
    std::vector<std::string> names;
    for (std::int64_t i = 0; i < count; ++i) names.push_back(fmt::format("class_{}", i));
    return names;
}

/// One value for each channel; one average for grey where three are given.
std::vector<double> by_channel(const std::vector<double>& values, std::int64_t channels,
                               const char* name) {
    if (static_cast<std::int64_t>(values.size()) == channels) return values;
    VALIDATE(channels == 1 && values.size() == 3,
             "--{} has {} values but the network reads {} channels; give one value a channel", name,
             values.size(), channels);
    return {std::accumulate(values.begin(), values.end(), 0.0) / 3};
}

}  // namespace

Imported import_model(const std::string& from, const ImportOptions& options) {
    Imported imported;
    auto& [model, fit] = imported;
    model.size =
        options.size > 0 ? options.size : static_cast<int>(zoo::published_size(options.arch));
    auto weights = read_weights(from);
    try {
        fit = fit_weights(std::move(weights),
                          {.arch = options.arch,
                           .classes = static_cast<std::int64_t>(options.classes.size()),
                           .size = model.size,
                           .partial = options.partial});
    } catch (const InputError& error) {
        throw InputError(fmt::format("cannot import '{}': {}", from, error.what()));
    }
    model.arch = options.arch;
    model.classes = options.classes.empty() ? numbered_classes(fit.classes) : options.classes;
    model.mean = by_channel(options.mean, fit.channels, "mean");
    model.std = by_channel(options.std, fit.channels, "std");
    model.tensors = std::exchange(fit.tensors, {});
    if (options.grey) fold_to_grey(model);
    return imported;
}

}  // namespace nanoatlas::nn
