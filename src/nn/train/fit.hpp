// A training as a whole: from a model and samples to a trained model.
#pragma once

#include <optional>
#include <string>

#include "nn/model_file.hpp"
#include "nn/train/augmentation.hpp"
#include "nn/train/images.hpp"
#include "nn/train/rate_test.hpp"
#include "nn/train/trainer.hpp"

namespace nanoatlas::nn {

struct FitOptions {
    TrainSettings train;
    std::string freeze = "none";  ///< none | backbone | to:LAYER
    std::optional<AugmentationSettings> augmentation = AugmentationSettings{};
    Precision precision = Precision::f32;
    BackendKind backend = default_backend();
    bool sync_batch_norm = true;
};

struct FitData {
    const Images& images;
    Samples train, validation;
    NameRow name_row = number_of_row;
};

/// Trains the model's tensors in place. With a frozen backbone and no augmentation the features are
/// computed once and only the head is trained on them. Gradual unfreezing compiles the network anew
/// for each of its phases. Collective.
///
/// resume  the state to go on from, if there is one
/// throws  InputError for an unknown layer to freeze, nothing left to train, no training samples,
///         settings that don't go together, or too little memory for any part of the training,
///         before it begins; else as Trainer::run
TrainingResult fit(ModelFile& model, const FitData& data, const FitOptions& options,
                   std::optional<TrainingState> resume, const TrainingHooks& hooks,
                   const comm::Communicator& comm);

/// The learning-rate range test of what fit() would begin with. Collective. throws as fit()
RateTest test_rates(const ModelFile& model, const FitData& data, const FitOptions& options,
                    const RateTestSettings& settings, const comm::Communicator& comm);

}  // namespace nanoatlas::nn
