// Elements of images: f32, bf16 stored as the upper half of an f32, or 8-bit integers.
#pragma once

#include <bit>
#include <cstdint>

namespace nanoatlas::kernels::onednn {

struct BFloat16 {
    std::uint16_t bits;
};

inline float load(float value) {
    return value;
}
inline float load(BFloat16 value) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(value.bits) << 16);
}
inline float load(std::int8_t value) {
    return value;
}
inline float load(std::uint8_t value) {
    return value;
}

inline void store(float value, float& to) {
    to = value;
}
/// To the nearest, ties to even; NaN stays NaN.
inline void store(float value, BFloat16& to) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t rounded = (bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16;
    const bool is_nan = (bits & 0x7FFFFFFFU) > 0x7F800000U;
    to.bits = static_cast<std::uint16_t>(is_nan ? 0x7FC0U : rounded);
}

}  // namespace nanoatlas::kernels::onednn
