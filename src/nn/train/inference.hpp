// A trained model as a network that evaluates; what the jobs that use one have in common.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/options.hpp"
#include "comm/communicator.hpp"
#include "nn/model_file.hpp"
#include "nn/network.hpp"
#include "nn/train/inputs.hpp"

namespace nanoatlas::nn {

struct InferenceOptions {
    std::int64_t batch = 32;  ///< images of a rank at a time
    std::string precision = "f32", backend = "onednn";
};

/// Adds --batch, --precision and --backend.
void add_inference_options(base::OptionTable& table, InferenceOptions& options);

/// The model's network with its tensors, in f32 where int8 is asked for; keep: nodes whose values
/// are wanted. Collective. throws InputError if an option is wrong, or the tensors don't fit the
/// network
Network inference_network(const ModelFile& model, const InferenceOptions& options,
                          std::vector<std::string> keep, const comm::Communicator& comm);

/// With --precision int8: quantises the network, as quantise() of quantise.hpp; else returns no
/// ranges. Collective.
Ranges quantise_if_asked(Network& network, const InferenceOptions& options, const Inputs& inputs,
                         std::span<const std::int64_t> rows, const comm::Communicator& comm);

}  // namespace nanoatlas::nn
