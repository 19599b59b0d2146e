// Before anything else runs: does this processor have the instructions that the program was
// compiled for? A login node's compiler picks those of the login node. Compiled for any processor.
#include <cstdio>
#include <cstdlib>

#include "jobs/instruction_sets.hpp"

#ifdef __x86_64__  // elsewhere compilers take what every processor has

namespace nanoatlas::jobs {
namespace {

struct InstructionSet {
    std::uint32_t bit;
    bool is_there;
    const char* name;
};

void leave(const char* missing) {
    std::fprintf(
        stderr,
        "cannot run on this processor: the program was compiled for one with %s, which this one "
        "lacks; compile it here, or with -DNANOATLAS_NATIVE=OFF and -DCMAKE_CXX_FLAGS=-march=... "
        "for the least of the processors that it has to run on\n",
        missing);
    std::_Exit(2);
}

// Before the constructors of other static objects, which may use such instructions.
[[gnu::constructor(101)]] void check_processor() {
    using namespace instruction_set;
    __builtin_cpu_init();
    const InstructionSet sets[] = {
        {avx, __builtin_cpu_supports("avx") != 0, "AVX"},
        {avx2, __builtin_cpu_supports("avx2") != 0, "AVX2"},
        {fma, __builtin_cpu_supports("fma") != 0, "FMA"},
        {avx512f, __builtin_cpu_supports("avx512f") != 0, "AVX-512F"},
        {avx512bw, __builtin_cpu_supports("avx512bw") != 0, "AVX-512BW"},
        {avx512dq, __builtin_cpu_supports("avx512dq") != 0, "AVX-512DQ"},
        {avx512vl, __builtin_cpu_supports("avx512vl") != 0, "AVX-512VL"},
        {avx512_vnni, __builtin_cpu_supports("avx512vnni") != 0, "AVX512-VNNI"},
        {avx512_bf16, __builtin_cpu_supports("avx512bf16") != 0, "AVX512-BF16"},
        {unheard_of, false, "instructions unheard of"},
    };
    for (const auto& set : sets)
        if ((compiled_for & set.bit) != 0 && !set.is_there) leave(set.name);
}

}  // namespace
}  // namespace nanoatlas::jobs

#endif
