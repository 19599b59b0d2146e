#include "nn/model_file.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/check.hpp"
#include "nn/zoo/zoo.hpp"
#include "store/artefact.hpp"

namespace nanoatlas::nn {

namespace {

constexpr std::string_view folder = "tensors/";
constexpr int largest_size = 8192;

/// Rows of the last layer's weight; nothing if the network is unknown or lacks it, which the one
/// who loads it tells.
std::optional<std::int64_t> classifier_outputs(const ModelFile& model) {
    const auto known = zoo::names();
    if (std::find(known.begin(), known.end(), model.arch) == known.end()) return std::nullopt;
    const auto weight = model.tensors.find(zoo::ends(model.arch).classifier + ".weight");
    if (weight == model.tensors.end() || weight->second.shape.empty()) return std::nullopt;
    return weight->second.shape[0];
}

/// throws InputError if no network could have these
void check(const ModelFile& model, const std::string& path) {
    const auto fault = [&](const std::string& what) {
        return InputError(
            fmt::format("cannot use model '{}': {}; import or train it again", path, what));
    };
    if (model.mean.size() != model.std.size() || (model.channels() != 1 && model.channels() != 3))
        throw fault(
            fmt::format("it has {} means and {} standard deviations (one or three of both "
                        "make sense)",
                        model.mean.size(), model.std.size()));
    for (std::size_t c = 0; c < model.mean.size(); ++c)
        if (!std::isfinite(model.mean[c]) || !std::isfinite(model.std[c]) || model.std[c] <= 0)
            throw fault(fmt::format("its input is normalised by mean {} and standard deviation {}",
                                    model.mean[c], model.std[c]));
    if (model.size < 1 || model.size > largest_size)
        throw fault(fmt::format("its input is {} pixels wide (1 to {} make sense)", model.size,
                                largest_size));
    if (model.classes.empty()) throw fault("it has no classes");
    if (std::set(model.classes.begin(), model.classes.end()).size() != model.classes.size())
        throw fault("two of its classes have one name");
    const auto outputs = classifier_outputs(model);
    if (outputs && *outputs != std::ssize(model.classes))
        throw fault(fmt::format("it names {} classes, but its classifier has {} outputs",
                                model.classes.size(), *outputs));
    if (!std::isfinite(model.temperature) || model.temperature <= 0)
        throw fault(fmt::format("its temperature is {}", model.temperature));
    if (model.threshold && !(model.threshold->value >= 0 && model.threshold->value <= 1))
        throw fault(fmt::format("its threshold {} is no probability", model.threshold->value));
}

void write_threshold(store::ArtefactWriter& file, const Threshold& threshold) {
    file.attribute("threshold", threshold.value);
    file.attribute("threshold_target", threshold.target);
    file.attribute("threshold_precision", threshold.precision);
    file.attribute("threshold_coverage", threshold.coverage);
}

std::optional<Threshold> read_threshold(const store::ArtefactReader& file) {
    if (!file.has_attribute("threshold")) return std::nullopt;
    return Threshold{.value = file.number("threshold"),
                     .target = file.number("threshold_target"),
                     .precision = file.number("threshold_precision"),
                     .coverage = file.number("threshold_coverage")};
}

ModelFile read_here(const std::string& path) {
    const store::ArtefactReader file(path, "model");
    ModelFile model;
    model.arch = file.text("arch");
    model.classes = file.texts("classes");
    model.mean = file.numbers("mean");
    model.std = file.numbers("std");
    model.size = static_cast<int>(file.number("size"));
    if (file.has_attribute("temperature")) model.temperature = file.number("temperature");
    model.threshold = read_threshold(file);
    for (const auto& dataset : file.datasets()) {
        if (!dataset.starts_with(folder)) continue;
        model.tensors.emplace(dataset.substr(folder.size()),
                              HostTensor{file.shape(dataset), file.read<float>(dataset)});
    }
    check(model, path);
    return model;
}

}  // namespace

void broadcast_model(ModelFile& model, const comm::Communicator& comm) {
    const auto share = [&](auto& values) {
        values.resize(comm.broadcast(values.size()));
        comm.broadcast(std::span(values));
    };
    model.arch = comm.broadcast(model.arch);
    model.classes = comm.broadcast(model.classes);
    share(model.mean);
    share(model.std);
    model.size = comm.broadcast(model.size);
    model.temperature = comm.broadcast(model.temperature);
    const bool has_threshold = comm.broadcast(model.threshold.has_value());
    const auto threshold = comm.broadcast(model.threshold.value_or(Threshold{}));
    model.threshold = has_threshold ? std::optional(threshold) : std::nullopt;
    std::vector<std::string> names;
    for (const auto& [name, tensor] : model.tensors) names.push_back(name);
    for (const auto& name : comm.broadcast(names)) {
        auto& tensor = model.tensors[name];
        share(tensor.shape);
        share(tensor.values);
    }
}

ModelFile read_model(const std::string& path, const comm::Communicator& comm) {
    ModelFile model;
    comm.on_root([&] { model = read_here(path); });
    broadcast_model(model, comm);
    return model;
}

void write_model(const std::string& path, const ModelFile& model,
                 const store::Provenance& provenance, const comm::Communicator& comm) {
    check(model, path);
    store::ArtefactWriter file(path, "model", comm);
    for (const auto& [name, tensor] : model.tensors)
        file.write_whole(std::string(folder) + name, std::span<const float>(tensor.values),
                         tensor.shape);
    file.attribute("arch", model.arch);
    file.attribute("classes", model.classes);
    file.attribute("mean", model.mean);
    file.attribute("std", model.std);
    file.attribute("size", static_cast<std::int64_t>(model.size));
    file.attribute("temperature", model.temperature);
    if (model.threshold) write_threshold(file, *model.threshold);
    file.publish(provenance);
}

}  // namespace nanoatlas::nn
