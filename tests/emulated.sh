#!/usr/bin/env bash
# Runs tests of kernels on a processor with AVX-512 where there is none: Bochs emulates one (Tiger Lake,
# with VNNI, without bf16) and boots Debian's kernel with the tests as its only programs. Correctness
# alone; it is some thousand times slower, so shapes are an eighth as large.
#   tests/emulated.sh [TEST...]     e.g. tests/emulated.sh test_short_tile test_network
# Needs Debian, as root or with sudo; builds into build/emulated. Without names: all tests of kernels on
# the processor, about half an hour. Ends with 1 if a test failed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source tests/open_mpi.sh
folder=$PWD/build/emulated
tests=("$@")
[ $# -gt 0 ] || tests=(test_short_tile test_density_kernel test_nearest_centres_kernel test_space_order
    test_products_kernels test_tsne_kernels test_neighbours_kernel test_quantised_kernels test_step_kernels
    test_cnn test_winograd test_weight_gradient)

install_emulator() {
    local sudo=sudo
    [ "$(id -u)" != 0 ] || sudo=
    $sudo apt-get install -y --no-install-recommends bochs bochs-term bochsbios vgabios isolinux syslinux-common \
        xorriso busybox-static cpio > /dev/null
}

# Bochs 2.7 takes the upper half of the registers for the lower one where they are the index of a gather.
build_tests() {
    local gathers=^use_gather,^use_gather_2parts,^use_gather_4parts
    cmake -S . -B "$folder" -G Ninja -DCMAKE_BUILD_TYPE=Release -DNANOATLAS_TESTS=ON -DNANOATLAS_NATIVE=OFF \
        -DCMAKE_CXX_FLAGS="-march=icelake-client -mtune-ctrl=$gathers -DNANOATLAS_SHRINKAGE=8" > /dev/null
    cmake --build "$folder" --target "${tests[@]}"
}

fetch_kernel() {
    [ ! -f "$folder/vmlinuz" ] || return 0
    local scratch package
    scratch=$(mktemp -d)
    package=$(apt-cache depends linux-image-cloud-amd64 | awk '$1 == "Depends:" {print $2}')
    (cd "$scratch" && apt-get download "$package" && dpkg-deb -x ./*.deb .)
    mv "$scratch"/boot/vmlinuz-* "$folder/vmlinuz"
    rm -rf "$scratch"
}

#   copy_files <root> <file>...: to where they are here
copy_files() {
    local root=$1 file; shift
    for file in "$@"; do
        mkdir -p "$root$(dirname "$file")"
        cp -Lu "$file" "$root$file"
    done
}

#   copy_libraries <root> <file>...: what the files need
copy_libraries() {
    local root=$1 libraries; shift
    mapfile -t libraries < <(
        ldd "$@" | awk '$2 == "=>" && $3 ~ /^\// {print $3} $1 ~ /^\// && NF == 2 {print $1}' | sort -u)
    copy_files "$root" "${libraries[@]}"
}

# For tests of one rank.
copy_mpi() {
    local root=$1 plugins
    mapfile -t plugins < <(open_mpi_plugins)
    copy_files "$root" "${plugins[@]}"
    copy_libraries "$root" "${plugins[@]}"
    mkdir -p "$root/usr/share" "$root/etc"
    cp -rL /usr/share/openmpi "$root/usr/share/"
    cp -rL /etc/openmpi "$root/etc/"
}

# What is in the machine's memory when it starts. Functions are bound at once, for Bochs fails where the
# loader saves registers.
make_root() {
    local root=$1 test file
    mkdir -p "$root"/{bin,proc,sys,dev,tmp,tests}
    cp "$(command -v busybox)" "$root/bin/busybox"
    for test in "${tests[@]}"; do
        file=$(find "$folder/tests" -name "$test" -type f)
        strip -o "$root/tests/$test" "$file"
        copy_libraries "$root" "$file"
        ! ldd "$file" | grep -q libmpi || copy_mpi "$root"
    done
    cat > "$root/init" << END
#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mkdir /dev/shm
/bin/busybox mount -t tmpfs shm /dev/shm
/bin/busybox ifconfig lo 127.0.0.1 up
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_ess_singleton_isolated=1 HOME=/tmp
export LD_BIND_NOW=1 OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive OPENBLAS_NUM_THREADS=1
for test in ${tests[*]}; do
    /tests/\$test --gtest_color=no
    echo "emulated: \$test ended with \$?"
done
echo 'emulated: all over'
/bin/busybox sleep 1
/bin/busybox poweroff -f
END
    chmod +x "$root/init"
}

# Features whose emulation the kernel does not get along with are taken out of its sight: XSAVEC, XSAVES, fast
# short strings, UMIP, protection keys, five levels of pages.
make_disc() {
    local disc=$1
    mkdir -p "$disc/files/isolinux"
    (cd "$disc/root" && find . | cpio -o -H newc --quiet | gzip -1) > "$disc/files/isolinux/root.gz"
    cp "$folder/vmlinuz" /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 "$disc/files/isolinux/"
    cat > "$disc/files/isolinux/isolinux.cfg" << 'END'
DEFAULT tests
PROMPT 0
LABEL tests
 KERNEL vmlinuz
 APPEND initrd=root.gz console=ttyS0 quiet mitigations=off tsc=reliable lpj=10000000 random.trust_cpu=on clearcpuid=321,323,580,297,514,pku no5lvl nosmap nosmep
END
    xorriso -as mkisofs -quiet -o "$disc/disc.iso" -b isolinux/isolinux.bin -c isolinux/boot.cat -no-emul-boot \
        -boot-load-size 4 -boot-info-table "$disc/files"
    cat > "$disc/bochsrc" << END
plugin_ctrl: unmapped=1, biosdev=1, extfpuirq=1, serial=1, speaker=0, parallel=0, e1000=0
config_interface: textconfig
display_library: term
memory: guest=2048, host=1024
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/vgabios/vgabios.bin
cpu: model=tigerlake, count=1, ips=50000000, reset_on_triple_fault=0, ignore_bad_msrs=1
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=cdrom, path=$disc/disc.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=$disc/output.txt
log: $disc/log.txt
panic: action=fatal
clock: sync=none
END
    echo c > "$disc/commands"  # Debian's Bochs starts in its debugger
}

# Bochs stops when nobody reads its screen, a terminal of its own, whose cursor blinks.
run_machine() {
    local disc=$1 screen=
    : > "$disc/output.txt"
    TERM=xterm script -qfc "bochs -q -f $disc/bochsrc -rc $disc/commands" "$disc/screen.txt" < /dev/null > /dev/null 2>&1 &
    local machine=$!
    while kill -0 "$machine" && ! screen=$(grep -aos '/dev/pts/[0-9]*' "$disc/screen.txt"); do sleep 1; done
    [ -z "$screen" ] || cat "$screen" > /dev/null &
    tail -f --pid=$machine "$disc/output.txt" | grep --line-buffered -v '^\[ *[0-9.]*\]' || true
    grep -q '^emulated: all over' "$disc/output.txt" || { echo "emulated: the machine stopped early; see $disc/log.txt"; exit 1; }
    ! grep -E '^emulated: .* ended with [^0]' "$disc/output.txt"
}

install_emulator
build_tests
fetch_kernel
disc=$(mktemp -d "$folder/machine.XXXX")
make_root "$disc/root"
make_disc "$disc"
run_machine "$disc"
rm -rf "$disc"
