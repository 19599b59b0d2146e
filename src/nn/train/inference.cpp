#include "nn/train/inference.hpp"

#include "base/check.hpp"
#include "base/log.hpp"
#include "kernels/onednn/onednn.hpp"
#include "nn/train/quantise.hpp"
#include "nn/train/start.hpp"

namespace nanoatlas::nn {
namespace {

bool asks_for_integers(const InferenceOptions& options) {
    return options.precision == "int8";
}

}  // namespace

void add_inference_options(base::OptionTable& table, InferenceOptions& options) {
    table.add("batch", options.batch, "images of a rank at a time");
    table.add("precision", options.precision, "of activations; int8: calibrated on the images")
        .choices({"f32", "bf16", "int8"});
    table.add("backend", options.backend, "who computes").choices({"onednn", "cudnn", "reference"});
}

Network inference_network(const ModelFile& model, const InferenceOptions& options,
                          std::vector<std::string> keep, const comm::Communicator& comm) {
    VALIDATE(options.batch > 0, "--batch {} must be at least 1", options.batch);
    Network network(
        graph_of(model),
        {.batch = options.batch,
         .precision = asks_for_integers(options) ? Precision::f32 : precision_of(options.precision),
         .backend = backend_kind(options.backend),
         .frozen_to = "",
         .keep = std::move(keep)},
        comm);
    network.load(model.tensors);
    return network;
}

Ranges quantise_if_asked(Network& network, const InferenceOptions& options, const Inputs& inputs,
                         std::span<const std::int64_t> rows, const comm::Communicator& comm) {
    if (!asks_for_integers(options)) return {};
    if (!kernels::onednn::has_vnni())
        base::log_info(
            "this processor has no VNNI instructions: int8 weights are a little coarser");
    return quantise(network, options.batch, inputs, rows, comm);
}

}  // namespace nanoatlas::nn
