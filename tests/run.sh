#!/usr/bin/env bash
# Sets up, builds, and passes all tests; ends with ctest's summary.
#   tests/run.sh [--sanitizers] [ctest options]      e.g. tests/run.sh -L unit
# --sanitizers: a build with address and undefined-behaviour sanitizers, and the unit tests on it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

folder=build/release
options=(-DCMAKE_BUILD_TYPE=Release)
selection=()
if [ "${1:-}" = --sanitizers ]; then
    shift
    folder=build/sanitizers
    options=(-DCMAKE_BUILD_TYPE=Debug -DNANOATLAS_SANITIZE=address,undefined)
    selection=(-L unit)
fi

# Where there is a CUDA compiler, the kernels must compile and link for a GPU too; running them needs
# one, with build/cuda/tests/kernels/test_neighbours_kernel and its like.
build_for_cuda() {
    bash jobs/setup.sh --cuda
    cmake --preset cuda > /dev/null
    cmake --build --preset cuda --target nanoatlas_kernels_kokkos test_neighbours_kernel
}

bash jobs/setup.sh --tests
[ "$folder" = build/release ] && command -v nvcc > /dev/null && build_for_cuda
cmake -S . -B "$folder" -G Ninja "${options[@]}" -DNANOATLAS_TESTS=ON > /dev/null
cmake --build "$folder"
ctest --test-dir "$folder" --output-on-failure -j "$(nproc)" "${selection[@]}" "$@"
