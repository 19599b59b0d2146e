// Which instructions of its processor the program was compiled to use.
#pragma once

#include <cstdint>

namespace nanoatlas::jobs {

namespace instruction_set {
enum : std::uint32_t {
    avx = 1U << 0,
    avx2 = 1U << 1,
    fma = 1U << 2,
    avx512f = 1U << 3,
    avx512bw = 1U << 4,
    avx512dq = 1U << 5,
    avx512vl = 1U << 6,
    avx512_vnni = 1U << 7,
    avx512_bf16 = 1U << 8,
    unheard_of = 1U << 31,  ///< no processor has it
};
}

/// Bits of instruction_set.
extern const std::uint32_t compiled_for;

}  // namespace nanoatlas::jobs
