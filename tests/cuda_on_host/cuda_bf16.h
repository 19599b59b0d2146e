// Stands in for CUDA's header: see cuda_runtime_api.h.
#pragma once

#include <bit>
#include <cstdint>

struct __nv_bfloat16 {
    std::uint16_t bits;
};

inline float __bfloat162float(__nv_bfloat16 value) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(value.bits) << 16);
}
/// To the nearest, of equally near ones to the even one.
inline __nv_bfloat16 __float2bfloat16_rn(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    if (value != value) return {0x7FFF};
    return {static_cast<std::uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16)};
}
