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
    export ASAN_OPTIONS=detect_leaks=0  # Open MPI keeps memory to the end of a process
fi

# Where there is a CUDA compiler, the kernels must compile and link for a GPU too; running them needs
# one: tests/gpu.sh.
build_for_cuda() {
    bash jobs/setup.sh --cuda
    cmake --preset cuda > /dev/null
    cmake --build --preset cuda --target nanoatlas_kernels_kokkos test_density_kernel \
        test_nearest_centres_kernel test_neighbours_kernel test_products_kernels
}

# The cuDNN back end too, whose planning needs no GPU; all of it on one: tests/gpu.sh.
build_for_cudnn() {
    cmake --preset cudnn > /dev/null
    cmake --build --preset cudnn --target test_cnn test_step_kernels test_cudnn_planning \
        test_cudnn_plans test_loss test_network
    ctest --preset cudnn
}

bash jobs/setup.sh --tests
if [ "$folder" = build/release ] && command -v nvcc > /dev/null; then
    build_for_cuda
    echo '#include <cudnn.h>' | nvcc -E -x cu - > /dev/null 2>&1 && build_for_cudnn
fi
cmake -S . -B "$folder" -G Ninja "${options[@]}" -DNANOATLAS_TESTS=ON > /dev/null
cmake --build "$folder"
ctest --test-dir "$folder" --output-on-failure -j "$(nproc)" "${selection[@]}" "$@"
