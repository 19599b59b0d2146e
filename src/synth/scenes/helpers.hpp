// Short forms that the scenes share.
#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>

#include "synth/stamps.hpp"

namespace nanoatlas::synth::scenes {

inline constexpr float full_turn = 2 * std::numbers::pi_v<float>;

inline float uniform(base::Random& random, double low, double high) {
    return static_cast<float>(random.uniform(low, high));
}
inline int whole(base::Random& random, int low, int high) {
    return low + static_cast<int>(random.below(static_cast<std::uint64_t>(high - low + 1)));
}
/// A place in the field, or up to `margin` px outside it.
inline Point2 place(base::Random& random, const Specimen& specimen, float margin) {
    return {uniform(random, -margin, specimen.side() + margin),
            uniform(random, -margin, specimen.side() + margin)};
}
/// Median times exp(spread * normal).
inline float log_normal(base::Random& random, float median, float spread) {
    return median * std::exp(spread * static_cast<float>(random.normal()));
}

/// A path of `steps` nodes that wanders from a start; heading changes by `bend` [rad] a step.
std::vector<Node> wander(base::Random& random, Point2 start, float heading, float step, int steps,
                         float bend, float z, float radius);

/// Fine roughness and long waves of a polished or grown substrate.
void roughen(Specimen& specimen, base::Random& random, float fine, float coarse);

/// Small grains of dirt, as on most real samples.
void scatter_dust(Specimen& specimen, base::Random& random, int count, float largest);

}  // namespace nanoatlas::synth::scenes
