// All that can be said of a model on labelled images: what evaluate finds and metrics.json holds.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "nn/model_file.hpp"
#include "nn/train/evaluation.hpp"
#include "nn/train/rejection.hpp"

namespace nanoatlas::nn {

/// Samples of known classes by what the model's threshold leaves to say of them.
struct AnswerCounts {
    std::int64_t images = 0, right = 0;
};

struct LevelScores {
    std::vector<std::string> classes;
    Metrics metrics;
};

struct ModelScores {
    std::vector<std::string> classes;
    Metrics metrics;       ///< at the model's temperature
    Metrics uncalibrated;  ///< at temperature 1
    double temperature = 1;
    std::vector<LevelScores> levels;  ///< by depth, from 1; none where no class is a path
    std::vector<CoveragePoint> coverage;
    std::optional<Threshold> threshold;        ///< the model's
    AnswerCounts at_class, above_class, none;  ///< with it
    std::optional<Threshold> chosen;           ///< for another precision, on these samples
    std::int64_t unknown_images = 0, unknown_rejected = 0;  ///< of classes the model doesn't know
};

/// logits  [n, classes] of this rank's block of the samples. Collective.
ModelScores score_model(const ModelFile& model, std::span<const float> logits,
                        const Samples& samples, const comm::Communicator& comm);

/// Answers (rejection.hpp) to all samples on every rank, in order; threshold 0 where the model has
/// none. Collective.
std::vector<std::int32_t> answers_of(const ModelFile& model, std::span<const float> logits,
                                     const comm::Communicator& comm);

/// One object; class names as keys of "per_class".
/// provenance: an object as JSON text
std::string metrics_json(const ModelScores& scores, const std::string& provenance);

}  // namespace nanoatlas::nn
