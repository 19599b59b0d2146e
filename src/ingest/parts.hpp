// What each image is for: train, validation or test.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "store/corpus.hpp"

namespace nanoatlas::ingest {

/// 70 / 15 / 15 within each class, groups whole, as a function of the images' content alone: groups
/// are taken largest first, then in the order of the hash of their first image's checksum, and each
/// goes to the part that is furthest below its share. Images without a label are a class of their
/// own.
///
/// group  [N] row of the first member
/// fixed  [N] parts that are given; a group with one such member goes there whole, and where a
/// class has
///        a given test set the rest is train and validation, 85 / 15
std::vector<store::Part> choose_parts(std::span<const std::int32_t> label,
                                      std::span<const std::int64_t> group,
                                      std::span<const std::uint64_t> checksum,
                                      std::span<const std::optional<store::Part>> fixed);

/// "train", "validation" (or "val"), "test", or 0, 1, 2. throws InputError on anything else
store::Part parse_part(const std::string& text);

}  // namespace nanoatlas::ingest
