// How well predictions match the labels.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "nn/taxonomy.hpp"

namespace nanoatlas::nn {

/// What counts of one row's prediction.
struct Judgement {
    std::int32_t truth = 0;  ///< a class, or an inner node
    std::int32_t predicted = 0;
    std::int32_t rank_of_truth = 0;  ///< classes with a higher probability than the true one's
    float confidence = 0;            ///< probability of the predicted class
    float loss = 0;                  ///< cross-entropy, -log of the true class's probability

    bool is_right() const { return predicted == truth; }
};

/// Probabilities [classes] of one row. Of equal probabilities the lower class is predicted.
/// inner: what truths above the classes stand for; their loss counts, a rank they have none
Judgement judge(std::span<const float> probabilities, std::int32_t truth,
                const InnerNodes& inner = {});

struct ClassScores {
    double precision = 0, recall = 0, f1 = 0;
    std::int64_t support = 0;  ///< rows of the class
};

/// A score whose denominator is empty is 0, as in scikit-learn.
struct Metrics {
    std::int64_t rows = 0;        ///< whose truth is a class; the scores are of these
    std::int64_t inner_rows = 0;  ///< whose truth is an inner node: they count in the loss alone
    double loss = 0;              ///< mean cross-entropy
    double accuracy = 0;
    double top3 = 0;
    double macro_f1 = 0;  ///< mean over the classes that occur as truth or as prediction
    double calibration_error = 0;
    std::vector<ClassScores> by_class;
    std::vector<std::int64_t> confusion;  ///< [truth, predicted], row-major
};

/// Calibration: expected error over 15 bins of equal width (Guo et al., ICML 2017).
/// classes: number of them; rows in one order give the same bits.
Metrics compute_metrics(std::span<const Judgement> judgements, int classes);

}  // namespace nanoatlas::nn
