// Exact and near duplicates among the pictures of a collection.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "image/fingerprint.hpp"

namespace nanoatlas::image {

struct DuplicateLimits {
    int perceptual_bits = 7;  ///< of 64 that may differ; at most 7, which the search is exact for
    int common_detail = 48;   ///< points, of 256, at which both must be strong
    double detail_apart =
        0.25;  ///< share of those that may differ; different pictures: 0.5 +- 0.05
};

/// Whether two pictures are near duplicates.
bool are_alike(const Fingerprint& a, const Fingerprint& b, const DuplicateLimits& limits = {});

struct Duplicates {
    std::vector<std::int64_t> duplicate_of;  ///< [N] first picture that this one repeats, -1 none
    std::vector<std::int64_t> group;         ///< [N] first picture of all that hang together
};

/// A function of its arguments alone: each rank finds the same. Candidates come from an index over
/// 16-bit pieces of the perceptual hash (Norouzi, Punjani, Fleet, "Fast search in Hamming space
/// with multi-index hashing", CVPR 2012), so the work grows far below N^2.
///
/// is_small  [N] pictures of too few pixels for a near likeness to mean anything (28 x 28): exact
/// only
Duplicates find_duplicates(std::span<const Fingerprint> pictures,
                           std::span<const std::uint8_t> is_small,
                           const DuplicateLimits& limits = {});

}  // namespace nanoatlas::image
