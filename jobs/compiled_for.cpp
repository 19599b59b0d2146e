// What the compiler was allowed to use for the whole program. Data alone: code compiled like this
// may not run.
#include "jobs/instruction_sets.hpp"

namespace nanoatlas::jobs {

const std::uint32_t compiled_for = 0
#ifdef __AVX__
                                   | instruction_set::avx
#endif
#ifdef __AVX2__
                                   | instruction_set::avx2
#endif
#ifdef __FMA__
                                   | instruction_set::fma
#endif
#ifdef __AVX512F__
                                   | instruction_set::avx512f
#endif
#ifdef __AVX512BW__
                                   | instruction_set::avx512bw
#endif
#ifdef __AVX512DQ__
                                   | instruction_set::avx512dq
#endif
#ifdef __AVX512VL__
                                   | instruction_set::avx512vl
#endif
#ifdef __AVX512VNNI__
                                   | instruction_set::avx512_vnni
#endif
#ifdef __AVX512BF16__
                                   | instruction_set::avx512_bf16
#endif
    ;

}  // namespace nanoatlas::jobs
