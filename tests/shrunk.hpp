// How much less tests on random shapes do where they run slowly.
#pragma once

#include <cstdint>

namespace nanoatlas::testing {

/// Sanitizers slow plain loops down thirty times, emulators (tests/emulated.sh) more: under them,
/// random shapes are this many times fewer, or their longest sides this many times shorter.
#if defined(NANOATLAS_SHRINKAGE)
inline constexpr int shrinkage = NANOATLAS_SHRINKAGE;
#elif defined(__SANITIZE_ADDRESS__)
inline constexpr int shrinkage = 4;
#else
inline constexpr int shrinkage = 1;
#endif

/// So many rounds, rows or channels where tests run at full speed.
constexpr int shrunk(int wanted) {
    return (wanted + shrinkage - 1) / shrinkage;
}

}  // namespace nanoatlas::testing
