// How much less tests on random shapes do under sanitizers.
#pragma once

#include <cstdint>

namespace nanoatlas::testing {

/// Sanitizers slow plain loops down thirty times: under them, random shapes are this many times
/// fewer, or their longest sides this many times shorter.
#ifdef __SANITIZE_ADDRESS__
inline constexpr int shrinkage = 4;
#else
inline constexpr int shrinkage = 1;
#endif

/// So many rounds, rows or channels, but for sanitizers.
constexpr int shrunk(int wanted) {
    return (wanted + shrinkage - 1) / shrinkage;
}

}  // namespace nanoatlas::testing
