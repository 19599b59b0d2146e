#include "nn/model_file.hpp"

#include <cmath>
#include <set>

#include "base/check.hpp"
#include "store/artefact.hpp"

namespace nanoatlas::nn {

namespace {

constexpr std::string_view folder = "tensors/";
constexpr int largest_size = 8192;

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
}

ModelFile read_here(const std::string& path) {
    const store::ArtefactReader file(path, "model");
    ModelFile model;
    model.arch = file.text("arch");
    model.classes = file.texts("classes");
    model.mean = file.numbers("mean");
    model.std = file.numbers("std");
    model.size = static_cast<int>(file.number("size"));
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
    file.publish(provenance);
}

}  // namespace nanoatlas::nn
