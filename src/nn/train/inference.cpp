#include "nn/train/inference.hpp"

#include "base/check.hpp"
#include "nn/train/start.hpp"

namespace nanoatlas::nn {

void add_inference_options(base::OptionTable& table, InferenceOptions& options) {
    table.add("batch", options.batch, "images of a rank at a time");
    table.add("precision", options.precision, "of activations").choices({"f32", "bf16"});
    table.add("backend", options.backend, "who computes").choices({"onednn", "cudnn", "reference"});
}

Network inference_network(const ModelFile& model, const InferenceOptions& options,
                          std::vector<std::string> keep, const comm::Communicator& comm) {
    VALIDATE(options.batch > 0, "--batch {} must be at least 1", options.batch);
    Network network(graph_of(model),
                    {.batch = options.batch,
                     .precision = precision_of(options.precision),
                     .backend = backend_kind(options.backend),
                     .frozen_to = "",
                     .keep = std::move(keep)},
                    comm);
    network.load(model.tensors);
    return network;
}

}  // namespace nanoatlas::nn
