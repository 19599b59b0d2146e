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

bash jobs/setup.sh --tests
cmake -S . -B "$folder" -G Ninja "${options[@]}" -DNANOATLAS_TESTS=ON > /dev/null
cmake --build "$folder"
ctest --test-dir "$folder" --output-on-failure -j "$(nproc)" "${selection[@]}" "$@"
