// What a trained network's probabilities are worth: a temperature that makes them honest, and the
// threshold below which they say "none of these".
#pragma once

#include <span>

#include "nn/train/evaluation.hpp"
#include "nn/train/images.hpp"
#include "nn/train/inference.hpp"

namespace nanoatlas::nn {

/// The temperature T in [0.01, 100] for which softmax(logits / T) gives the labels the least mean
/// negative log likelihood (Guo et al., ICML 2017). It changes no prediction. 1 if there are no
/// samples, or the likelihood only grows as T falls (no sample is wrong, so nothing tells how sure
/// is too sure). The same bits on any number of ranks. Collective.
///
/// logits  [n, classes] of this rank's block of the samples
double fit_temperature(std::span<const float> logits, const Samples& samples,
                       const comm::Communicator& comm);

struct Calibration {
    std::int64_t rows = 0;  ///< samples that it was found on
    Metrics before, after;  ///< at temperature 1, and at the model's
};

/// Finds the model's temperature and, for a precision above 0, its threshold. Collective.
///
/// target_precision  as choose_threshold() takes it; 0: no threshold
Calibration calibrate(ModelFile& model, const Images& images, const Samples& samples,
                      double target_precision, const InferenceOptions& options,
                      const comm::Communicator& comm);

}  // namespace nanoatlas::nn
