// The loss in plain loops and f64; fast enough for a CPU, where it is what all back ends use.
#pragma once

#include <memory>

#include "kernels/loss.hpp"

namespace nanoatlas::kernels::reference {

/// A label that a sample counts as.
struct LossTarget {
    std::size_t label;
    double share;   ///< of the sample
    double weight;  ///< mean of the label's classes'
};

/// The one of the larger share first; none for a sample that does not count.
std::vector<LossTarget> targets_of(std::size_t sample, const LossShape& shape,
                                   const LossTargets& targets);
/// Sum over this rank's samples: its part in LossTargets::weight.
double label_weight(const LossShape& shape, const LossTargets& targets);

/// On the host's memory of a back end.
std::unique_ptr<Loss> make_loss(Backend& backend, const LossShape& shape);

}  // namespace nanoatlas::kernels::reference
