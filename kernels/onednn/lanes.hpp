// Sixteen f32 values in registers, and how images are loaded into them and stored.
#pragma once

#include <cstdint>
#include <cstring>

#include "kernels/onednn/element.hpp"

namespace nanoatlas::kernels::onednn {

constexpr std::int64_t lane_count = 16;
using Lanes = float __attribute__((vector_size(64)));

/// What one register holds: comparisons of wider vectors become scalar code.
#if defined(__AVX512F__)
constexpr std::int64_t register_lanes = 16;
#else
constexpr std::int64_t register_lanes = 8;
#endif
using RegisterLanes = float __attribute__((vector_size(register_lanes * 4)));

inline Lanes load_lanes(const float* from) {
    Lanes lanes;
    std::memcpy(&lanes, from, sizeof lanes);
    return lanes;
}

inline Lanes load_lanes(const BFloat16* from) {
    using Halves = std::uint16_t __attribute__((vector_size(32)));
    using Wholes = std::uint32_t __attribute__((vector_size(64)));
    Halves halves;
    std::memcpy(&halves, from, sizeof halves);
    const Wholes wholes = __builtin_convertvector(halves, Wholes) << 16;
    Lanes lanes;
    std::memcpy(&lanes, &wholes, sizeof lanes);
    return lanes;
}

inline RegisterLanes load_register(const float* from) {
    RegisterLanes lanes;
    std::memcpy(&lanes, from, sizeof lanes);
    return lanes;
}

inline RegisterLanes load_register(const BFloat16* from) {
    using Halves = std::uint16_t __attribute__((vector_size(register_lanes * 2)));
    using Wholes = std::uint32_t __attribute__((vector_size(register_lanes * 4)));
    Halves halves;
    std::memcpy(&halves, from, sizeof halves);
    const Wholes wholes = __builtin_convertvector(halves, Wholes) << 16;
    RegisterLanes lanes;
    std::memcpy(&lanes, &wholes, sizeof lanes);
    return lanes;
}

template <class T>
void store_lanes(const Lanes& lanes, T* to) {
#pragma omp simd
    for (std::int64_t i = 0; i < lane_count; ++i) store(lanes[i], to[i]);
}

}  // namespace nanoatlas::kernels::onednn
