#!/usr/bin/env bash
# clang-tidy (.clang-tidy) over the files given, or all sources; needs a configured build/release.
#   tests/tidy.sh [FILE.cpp ...]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
[ $# -gt 0 ] || mapfile -t files < <(git ls-files -- 'src/*.cpp' 'kernels/*.cpp' 'jobs/*.cpp')
printf '%s\n' "${@:-${files[@]}}" |
    xargs -P "$(nproc)" -n 1 clang-tidy -p build/release --quiet --extra-arg=-Wno-unknown-warning-option
