// Mixup: each training image is a blend of two, and counts as both their classes.
// Zhang, Cisse, Dauphin, Lopez-Paz, arXiv:1710.09412.
#pragma once

#include <cstdint>
#include <vector>

namespace nanoatlas::nn {

/// Of the samples of one pass: sample i is share * its own + (1 - share) * its partner's.
struct Mixing {
    std::vector<std::int64_t> partner;  ///< place in the pass
    std::vector<float> share;           ///< from Beta(alpha, alpha)
};

/// A function of (seed, number of the pass, place). alpha > 0.
Mixing draw_mixing(double alpha, std::uint64_t seed, std::int64_t pass, std::int64_t samples);

}  // namespace nanoatlas::nn
