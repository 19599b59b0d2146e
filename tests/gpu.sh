#!/usr/bin/env bash
# The whole suite on a machine with an NVIDIA GPU and no network.
#   tests/gpu.sh bundle [FOLDER]          here: builds, and puts all that such a machine may lack into
#                                         FOLDER (build/gpu-bundle), which can be copied anywhere,
#                                         and into FOLDER.tar.gz
#   FOLDER/gpu.sh run [RESULTS] [STEP...] there: finds cuDNN and NCCL (their path in CUDNN_PATH and
#                                         NCCL_PATH, the CUDA toolkit, or Python's packages), runs the
#                                         steps (default: all) and leaves a log of each in RESULTS
#                                         (gpu-results); ends with a summary, and 1 if a step failed
# Steps: kernels plans network ranks zoo oracle trainer memcheck racecheck bench peer: networks on cuDNN;
#        clustering_kernels clustering bench_clustering: neighbours, density, PCA, k-means on Kokkos; and, if
#        named, profile: the time of each kernel of a training step, as a table (needs ncu)
# The build folders are build/gpu (cuDNN) and build/gpu-kokkos, for any x86-64 processor with AVX2;
# NANOATLAS_GPU_BUILD and NANOATLAS_GPU_KOKKOS_BUILD name others.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tests=(test_cnn test_step_kernels test_augment test_cudnn_planning test_cudnn_plans test_loss test_optimizer
       test_network test_zoo_network test_oracle test_train_parts test_trainer)
clustering_kernels=(test_neighbours_kernel test_density_kernel test_nearest_centres_kernel test_products_kernels)
clustering=(test_neighbours test_density_peaks test_cutoff_peaks test_hdbscan test_kmeans test_silhouette test_assign test_pca)
all_steps=(kernels plans network ranks zoo oracle trainer memcheck racecheck bench peer
           clustering_kernels clustering bench_clustering)

say() { printf '%s\n' "gpu: $*" >&2; }

# Libraries that every Linux has, and those that must fit the driver: not for the bundle.
is_local() {
    case $(basename "$1") in
        ld-linux*|libc.so*|libm.so*|libdl.so*|librt.so*|libpthread.so*|libcuda.so*|libcudnn*|libnccl*) return 0 ;;
        *) return 1 ;;
    esac
}

#   copy_libraries <to> <file>...: what the files need, and what that needs
copy_libraries() {
    local to=$1; shift
    ldd "$@" 2>/dev/null | awk '$2 == "=>" && $3 ~ /^\// {print $3}' | sort -u |
        while read -r library; do is_local "$library" || cp -Lu "$library" "$to/"; done
}

# Open MPI finds its parts below OPAL_PREFIX, its plugins where OMPI_MCA_mca_base_component_path says.
copy_mpi() {
    local to=$1
    mkdir -p "$to/mpi/bin" "$to/mpi/plugins" "$to/mpi/share"
    cp -L "$(command -v orted)" "$to/mpi/bin/orted"
    cp -L "$(command -v orterun)" "$to/mpi/bin/mpirun"
    open_mpi_plugins | xargs cp -L -t "$to/mpi/plugins/"
    cp -rL /usr/share/openmpi "$to/mpi/share/" 2> /dev/null || true
    copy_libraries "$to/lib" "$to"/mpi/bin/* "$to"/mpi/plugins/*.so
}

#   build_into <to> <folder> <option> <test>...: nanoatlas and the tests, built in the folder with the option
build_into() {
    local to=$1 folder=$2 option=$3; shift 3
    if [ ! -f "$folder/build.ninja" ]; then
        cmake -S "$root" -B "$folder" -G Ninja -DCMAKE_BUILD_TYPE=Release "-D$option=ON" \
            -DNANOATLAS_NATIVE=OFF -DCMAKE_CXX_FLAGS=-march=x86-64-v3 > /dev/null
    fi
    cmake --build "$folder" --target nanoatlas "$@"
    mkdir -p "$to"
    cp "$folder/nanoatlas" "$to/"
    for test in "$@"; do find "$folder/tests" -name "$test" -type f -exec cp {} "$to/" \;; done
    strip "$to"/*
}

bundle() {
    local root to
    root=$(dirname "$here")
    to=${1:-$root/build/gpu-bundle}
    source "$here/open_mpi.sh"
    rm -rf "$to"; mkdir -p "$to/lib"
    build_into "$to/bin" "${NANOATLAS_GPU_BUILD:-$root/build/gpu}" NANOATLAS_CUDNN "${tests[@]}"
    build_into "$to/kokkos" "${NANOATLAS_GPU_KOKKOS_BUILD:-$root/build/gpu-kokkos}" NANOATLAS_CUDA \
        "${clustering_kernels[@]}" "${clustering[@]}"
    copy_libraries "$to/lib" "$to"/bin/* "$to"/kokkos/*
    copy_mpi "$to"
    strip --strip-unneeded "$to"/lib/* "$to"/mpi/plugins/*.so 2> /dev/null || true
    # Small, and the machine has no ../shared.
    if [ -d "$root/../shared/oracles/nn" ]; then
        mkdir -p "$to/shared/oracles"; cp -r "$root/../shared/oracles/nn" "$to/shared/oracles/"
    fi
    cp "$here/gpu.sh" "$here/gpu_peer.py" "$to/"
    tar -czf "$to.tar.gz" -C "$(dirname "$to")" "$(basename "$to")"
    say "$(du -sh "$to" | cut -f1) in $to, $(du -h "$to.tar.gz" | cut -f1) in $to.tar.gz"
}

# The folder with a library, in the usual places.
folder_of() {
    local name=$1 given=$2 place
    for place in "$given" "$given/lib" "$given/lib64" /usr/local/cuda/lib64 /usr/local/cuda/lib \
        /usr/lib/x86_64-linux-gnu /usr/local/lib \
        $(python3 -c 'import site, glob; print(*[f for s in site.getsitepackages() for f in glob.glob(s + "/nvidia/*/lib")])' 2> /dev/null); do
        if [ -e "$place/$name" ]; then echo "$place"; return; fi
    done
    say "$name is not on this machine; say where with $3=FOLDER"; exit 1
}

prepare() {
    local cudnn nccl place
    if [ ! -d "$here/bin" ]; then say "$here is no bundle; make one with: tests/gpu.sh bundle"; exit 2; fi
    cudnn=$(folder_of libcudnn.so.9 "${CUDNN_PATH:-/none}" CUDNN_PATH)
    nccl=$(folder_of libnccl.so.2 "${NCCL_PATH:-/none}" NCCL_PATH)
    export LD_LIBRARY_PATH="$here/lib:$cudnn:$nccl"
    # cuDNN compiles some kernels with NVRTC, and multiplies with cuBLAS.
    for place in /usr/local/cuda/lib64 $(dirname "$cudnn")/../*/lib; do
        if compgen -G "$place/libnvrtc.so*" > /dev/null || compgen -G "$place/libcublas.so*" > /dev/null; then
            LD_LIBRARY_PATH+=":$place"
        fi
    done
    export OPAL_PREFIX=$here/mpi OMPI_MCA_mca_base_component_path=$here/mpi/plugins PATH=$here/mpi/bin:$PATH
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_mpi_yield_when_idle=1
    # Parts of PMIx that the bundle lacks or that fit another version are not needed.
    export PMIX_MCA_pcompress_base_silence_warning=1 PMIX_MCA_mca_base_component_show_load_errors=0
    export OMPI_MCA_plm_rsh_agent=/bin/false NANOATLAS_SHARED=$here/shared OMP_WAIT_POLICY=passive
}

#   run_all <test>...: of the Kokkos build
run_all() { for test in "$@"; do "$here/kokkos/$test" || return 1; done; }
#   bench_rows <what> <option>...
bench_rows() { "$here/kokkos/nanoatlas" bench "$@" --json; }
on_gpu() { NANOATLAS_BACKEND=cudnn "$@"; }
#   check_with <tool> <test> <filter>
check_with() { compute-sanitizer --tool "$1" --error-exitcode 1 "$here/bin/$2" "--gtest_filter=$3"; }

bench() {
    local what=$1 arch=$2 batch=$3
    "$here/bin/nanoatlas" bench "$what" --arch "$arch" --batch "$batch" --precision bf16 --backend cudnn --steps 20 --json
}

do_step() {
    case $1 in
        kernels) "$here/bin/test_cnn" && "$here/bin/test_step_kernels" && "$here/bin/test_augment" ;;
        plans) "$here/bin/test_cudnn_planning" && "$here/bin/test_cudnn_plans" ;;
        network) for test in loss optimizer network; do on_gpu "$here/bin/test_$test"; done ;;
        ranks)
            for ranks in 2 3 4; do
                for test in loss network; do on_gpu mpirun --oversubscribe --bind-to none -n $ranks "$here/bin/test_$test"; done
            done ;;
        zoo) on_gpu "$here/bin/test_zoo_network" ;;
        oracle) on_gpu "$here/bin/test_oracle" ;;
        trainer) on_gpu "$here/bin/test_train_parts" && on_gpu "$here/bin/test_trainer" ;;
        memcheck)
            check_with memcheck test_cnn 'BackendsAgree.*' && check_with memcheck test_step_kernels '*' &&
                check_with memcheck test_augment '*gpu*' ;;
        racecheck)
            check_with racecheck test_cnn 'BackendsAgree.*norm*' && check_with racecheck test_step_kernels '*' &&
                check_with racecheck test_augment '*gpu*' ;;
        bench) for arch in resnet50 resnet18; do bench train $arch 256; bench extract $arch 256; done ;;
        # Python brings its own libraries.
        peer) LD_LIBRARY_PATH= python3 "$here/gpu_peer.py" ;;
        clustering_kernels) run_all "${clustering_kernels[@]}" ;;
        clustering) run_all "${clustering[@]}" ;;
        bench_clustering)
            bench_rows neighbours --rows 150000 --columns 2048 --k 100
            bench_rows neighbours --rows 1000000 --columns 50 --k 100
            bench_rows adp --rows 150000 --columns 50 --maxk 100
            bench_rows pca --rows 150000 --columns 2048 --components 50 ;;
        profile)
            ncu --metrics gpu__time_duration.sum --clock-control none --csv --launch-count ${LAUNCHES:-800} --kill yes \
                "$here/bin/nanoatlas" bench train --arch "${ARCH:-resnet50}" --batch 256 --precision bf16 \
                --backend cudnn --steps 1 --repeat 1 --json ;;
        *) say "unknown step $1"; return 1 ;;
    esac
}

run() {
    local results=${1:-gpu-results} failed=0 step status start
    shift || true
    mkdir -p "$results"
    nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv | tee "$results/device.log"
    for step in ${*:-${all_steps[*]}}; do
        start=$SECONDS status=passed
        timeout 300 bash "$here/gpu.sh" step "$step" > "$results/$step.log" 2>&1 || { status=FAILED; failed=1; }
        printf '%-10s %-7s %4d s\n' "$step" $status $((SECONDS - start)) | tee -a "$results/summary.log"
    done
    return $failed
}

case ${1:-} in
    bundle) bundle "${@:2}" ;;
    run) run "${@:2}" ;;
    step) prepare; do_step "$2" ;;
    *) sed -n '2,/^set -euo/p' "${BASH_SOURCE[0]}" | sed '$d; s/^# \{0,1\}//'; exit 2 ;;
esac
