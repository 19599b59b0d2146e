// Files that no reader can take: what a folder of real micrographs holds here and there.
#pragma once

#include <cstdint>
#include <string>

#include "synth/encode.hpp"

namespace nanoatlas::synth {

/// Kinds of damage take turns: truncated TIFF, JPEG and PNG, an empty file, text under an image's
/// name, headers of 60,000 x 60,000 pixels (TIFF, PNG), flipped bits in a PNG, random bytes.
inline constexpr int kinds_of_damage = 9;

/// "damaged_000003_text.png": the kind is in the name.
std::string damaged_name(std::int64_t number);
Bytes damaged_file(std::uint64_t seed, std::int64_t number);

}  // namespace nanoatlas::synth
