#!/usr/bin/env bash
# Sets up, builds, and walks the whole way once on 2,000 drawn micrographs: images -> corpus -> model
# -> features -> clusters -> atlas. Run again, it rebuilds and recomputes nothing that is up to date.
#   jobs/quickstart.sh [FILE.cfg]      another configuration than input/quickstart.cfg
set -euo pipefail
config=$(realpath "${1:-$(dirname "${BASH_SOURCE[0]}")/../input/quickstart.cfg}")
cd "$(dirname "${BASH_SOURCE[0]}")/.."

bash jobs/setup.sh
[ -f build/release/build.ninja ] ||
    cmake -S . -B build/release -G Ninja -DCMAKE_BUILD_TYPE=Release -DNANOATLAS_TESTS=OFF > /dev/null
cmake --build build/release --target nanoatlas

# Open MPI refuses root unless told twice; ranks share the cores out among themselves.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
mpirun -n 2 --oversubscribe --bind-to none build/release/nanoatlas run --config "$config"
