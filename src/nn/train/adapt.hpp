// A network adapted to a corpus without labels, by telling views of one image from all others.
#pragma once

#include <cstdint>
#include <functional>

#include "nn/model_file.hpp"
#include "nn/network.hpp"
#include "nn/train/augmentation.hpp"
#include "nn/train/images.hpp"

namespace nanoatlas::nn {

struct AdaptSettings {
    std::int64_t epochs = 5;
    std::int64_t batch = 64;  ///< images of a step over all ranks, each in two views
    std::int64_t blocks = 5;  ///< of layers before the classifier that are trained (layer_blocks)
    double rate = 3e-4;       ///< AdamW, a cosine after one tenth of warm-up
    double weight_decay = 1e-4;
    double temperature = 0.2;  ///< contrastive_loss()
    AugmentationSettings augmentation{.smallest_crop = 0.4};
    std::uint64_t seed = 1;
    Precision precision = Precision::f32;
    BackendKind backend = default_backend();
};

/// Trains the last blocks of the network on all images, its features led through two linear layers
/// (to 256 with a ReLU, to 128) that are thrown away. The classifier stays as it was, and so no
/// longer fits; a threshold and a temperature are dropped. Up to rounding the same on any number of
/// ranks: each compares the views of all. Collective.
///
/// epoch_done  told the number of the epoch, from 1, and its mean loss, on every rank
/// throws      InputError if a setting is out of range, there are fewer than 4 images, the network
///             has an auxiliary output, or the loss is not finite
ModelFile adapt(ModelFile model, const Images& images, const AdaptSettings& settings,
                const std::function<void(std::int64_t epoch, double loss)>& epoch_done,
                const comm::Communicator& comm);

}  // namespace nanoatlas::nn
