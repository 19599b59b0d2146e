// What tells whether two pictures are the same: exactly, or but for compression, noise and
// contrast.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <span>

namespace nanoatlas::image {

/// Local contrast on a 32 x 32 grid, every other point: where it is strong (above its median) and
/// brighter than around. Where both of two pictures are strong, pictures of the same thing agree,
/// and others, however alike their shading is, by half.
struct Detail {
    std::array<std::uint64_t, 8> strong{}, brighter{};
};

/// perceptual: signs of the 64 lowest frequencies of the picture's cosine transform at 32 x 32
/// (Zauner, "Implementation and benchmarking of perceptual image hash functions", 2010); pictures
/// of the same thing differ in few bits.
struct Fingerprint {
    std::uint64_t exact = 0;  ///< XXH3 of the pixels
    std::uint64_t perceptual = 0;
    Detail detail{};
};

/// XXH3, 64 bit, of the bytes.
std::uint64_t checksum(std::span<const std::uint8_t> pixels);

/// pixels [size, size]
Fingerprint fingerprint(std::span<const std::uint8_t> pixels, int size);

inline int bits_apart(std::uint64_t a, std::uint64_t b) {
    return std::popcount(a ^ b);
}

}  // namespace nanoatlas::image
