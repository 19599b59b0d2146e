#include "base/memory.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstddef>
#include <cstdlib>
#include <limits>

namespace nanoatlas::base {
namespace {

#if defined(__SANITIZE_ADDRESS__) || !defined(__GLIBC__)
constexpr bool is_memory_of_glibc = false;
#else
constexpr bool is_memory_of_glibc = true;
#endif
constexpr std::size_t size = std::size_t{256} << 20, page = 4096;

// Pages that the system has mapped for a block, which is freed at once.
long faults_of_a_block() {
    const auto faults = [] {
        rusage usage{};
        getrusage(RUSAGE_SELF, &usage);
        return usage.ru_minflt;
    };
    const long before = faults();
    void* block = std::malloc(size);
    for (std::size_t i = 0; i < size; i += page) static_cast<volatile char*>(block)[i] = 1;
    std::free(block);
    return faults() - before;
}

TEST(Memory, what_is_freed_is_used_again_until_somebody_asks_what_is_available) {
    if (!is_memory_of_glibc) GTEST_SKIP() << "not the memory of glibc";
    keep_freed_memory();
    const long first = faults_of_a_block();
    EXPECT_LT(faults_of_a_block(), first / 10);
    available_memory();
    EXPECT_GT(faults_of_a_block(), first / 2);
}

TEST(Memory, the_system_says_what_is_available) {
    EXPECT_GT(available_memory(), std::int64_t{1} << 20);
    EXPECT_LT(available_memory(), std::numeric_limits<std::int64_t>::max());
}

}  // namespace
}  // namespace nanoatlas::base
