// A trained network on disk: model.h5, with what is needed to use it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "nn/tensor.hpp"

namespace nanoatlas::store {
class Provenance;
}

namespace nanoatlas::nn {

/// The largest probability below which an answer is "none of these", and what the answers above it
/// were worth on the images that it was chosen on.
struct Threshold {
    double value = 0;
    double target = 0;     ///< precision asked for
    double precision = 0;  ///< share of the answers that were right
    double coverage = 0;   ///< share of the images that got one
};

struct ModelFile {
    std::string arch;                  ///< torchvision's name of the network: "resnet18"
    std::vector<std::string> classes;  ///< by output of the classifier
    std::vector<double> mean,
        std;                 ///< [channels], of pixels scaled to [0, 1]; input = (x - mean) / std
    int size = 224;          ///< side of the square input [pixels]
    TensorMap tensors;       ///< weights and running statistics
    double temperature = 1;  ///< probabilities are softmax(logits / temperature)
    std::optional<Threshold> threshold = {};

    /// 1: the stem reads grey; 3: grey is repeated.
    int channels() const { return static_cast<int>(mean.size()); }
    bool is_grey() const { return channels() == 1; }
};

/// /tensors/<name> f32, attributes arch, classes, mean, std, size; temperature, threshold and
/// threshold_target, _precision, _coverage, which older files lack. The same on every rank: rank 0
/// reads, the others receive. Collective.
/// throws InputError if the file cannot be read, is no model, or holds what no network could
ModelFile read_model(const std::string& path, const comm::Communicator& comm);

/// There whole or not at all. Collective; rank 0's tensors are written.
/// throws InputError if the folder is missing, EnvironmentError if the disk is full
void write_model(const std::string& path, const ModelFile& model,
                 const store::Provenance& provenance, const comm::Communicator& comm);

/// Rank 0's model on every rank. Collective.
void broadcast_model(ModelFile& model, const comm::Communicator& comm);

/// The network that `extract` uses where none is given: EfficientNet-lite0 with ImageNet's weights
/// (Apache-2.0), in colour, so that its features are the published network's (import/grey.hpp says
/// what folding would cost). Looked for in the folder that the environment's NANOATLAS_WEIGHTS
/// names, in that of the build's dependencies, and beside the program (weights/,
/// ../share/nanoatlas/weights). Collective.
/// throws InputError if it is in none of them: names them all
ModelFile default_model(const comm::Communicator& comm);

}  // namespace nanoatlas::nn
