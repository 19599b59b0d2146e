// An autoencoder learns, data-parallel over ranks.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "comm/communicator.hpp"
#include "nn/network.hpp"
#include "nn/train/hooks.hpp"
#include "reduce/autoencoder/autoencoder.hpp"
#include "reduce/autoencoder/history.hpp"
#include "reduce/autoencoder/rows.hpp"
#include "reduce/autoencoder/split.hpp"

namespace nanoatlas::reduce {

struct AutoencoderSettings {
    std::int64_t epochs = 100;
    std::int64_t batch = 64;  ///< rows of a step over all ranks
    double rate = 1e-3;       ///< the highest one; AdamW, a cosine after one tenth of warm-up
    /// Standard deviation of noise that is added to what the network reads and not to what it is to
    /// put out (Vincent et al., "Extracting and composing robust features with denoising
    /// autoencoders", ICML 2008). In units of the scaled columns.
    double noise = 0;
    std::uint64_t seed = 1;  ///< of weights, order and noise
    nn::Precision precision = nn::Precision::f32;
    nn::BackendKind backend = nn::default_backend();
};

struct AutoencoderTraining {
    std::vector<EpochErrors> epochs;
    std::int64_t best = 0;  ///< epoch whose weights are kept, from 1: that of the least held-out
                            ///< error; without held-out rows the last
};

/// Draws weights and trains them by the squared error; autoencoder.tensors become the best epoch's.
/// A step takes the same rows on any number of ranks, so that what is learnt is the same up to the
/// rounding of sums. Collective.
///
/// resume  the state to go on from, if there is one: the same ranks and settings give the same bits
///         as one run
/// hooks   as of any training; but save() is called after an epoch only if that takes a twentieth
/// of
///         the time at most, as epochs may be short
/// throws  InputError if a setting is out of range, or the loss is not finite; StoppedOnRequest
AutoencoderTraining train(Autoencoder& autoencoder, const AutoencoderRows& rows, const Split& split,
                          const AutoencoderSettings& settings,
                          std::optional<nn::TrainingState> resume, const nn::TrainingHooks& hooks,
                          const comm::Communicator& comm);

}  // namespace nanoatlas::reduce
