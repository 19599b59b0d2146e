#!/usr/bin/env bash
# clang-tidy (.clang-tidy) over the files given, or all sources of the build but its tests; needs a
# configured build/release.
#   tests/tidy.sh [FILE.cpp ...]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
commands=$(mktemp -d)
trap 'rm -rf "$commands"' EXIT
# clang does not read GCC's precompiled headers.
sed 's/ -Winvalid-pch -include [^ ]*cmake_pch.hxx//' build/release/compile_commands.json > "$commands/compile_commands.json"
[ $# -gt 0 ] || mapfile -t files < <(
    sed -n "s|.*\"file\": \"$PWD/\(.*\)\".*|\1|p" build/release/compile_commands.json |
        grep -E '^(src|kernels|jobs)/.*\.cpp$' | sort -u)
printf '%s\n' "${@:-${files[@]}}" |
    xargs -P "$(nproc)" -n 1 clang-tidy -p "$commands" --quiet --extra-arg=-Wno-unknown-warning-option
