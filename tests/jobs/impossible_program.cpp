// A program that was compiled for a processor that does not exist.
#include <cstdio>

#include "jobs/instruction_sets.hpp"

const std::uint32_t nanoatlas::jobs::compiled_for = instruction_set::unheard_of;

int main() {
    std::puts("it runs");
}
