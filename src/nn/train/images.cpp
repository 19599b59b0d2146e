#include "nn/train/images.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "store/hdf5.hpp"

namespace nanoatlas::nn {
namespace {

/// Where the values of a dataset lie in its file, in one piece as they are; HADDR_UNDEF if they
/// don't (chunked, compressed, empty).
haddr_t offset_in_file(const std::string& path, const char* name) {
    const store::hdf5::File file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT));
    const store::hdf5::Dataset dataset(H5Dopen2(file.id(), name, H5P_DEFAULT));
    return dataset ? H5Dget_offset(dataset.id()) : HADDR_UNDEF;
}

std::size_t page_size() {
    return static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

Images::Images(std::vector<std::uint8_t> pixels, int height, int width)
    : height_(height), width_(width), memory_(std::move(pixels)), pixels_(memory_.data()) {
    count_ = static_cast<std::int64_t>(memory_.size() / row_bytes());
}

Images::Images(const store::CorpusReader& corpus)
    : count_(corpus.rows()), height_(corpus.height()), width_(corpus.width()) {
    if (map_file(corpus)) return;
    memory_ = corpus.read_images(0, count_);
    pixels_ = memory_.data();
}

Images::Images(Images&& other) noexcept {
    *this = std::move(other);
}

Images& Images::operator=(Images&& other) noexcept {
    if (this == &other) return *this;
    unmap();
    count_ = std::exchange(other.count_, 0);
    height_ = other.height_;
    width_ = other.width_;
    memory_ = std::move(other.memory_);
    mapped_ = std::exchange(other.mapped_, nullptr);
    mapped_bytes_ = other.mapped_bytes_;
    pixels_ = std::exchange(other.pixels_, nullptr);
    return *this;
}

Images::~Images() {
    unmap();
}

void Images::unmap() {
    if (mapped_ != nullptr) munmap(mapped_, mapped_bytes_);
    mapped_ = nullptr;
}

bool Images::map_file(const store::CorpusReader& corpus) {
    const haddr_t offset = offset_in_file(corpus.path(), "images");
    if (offset == HADDR_UNDEF) return false;
    const std::size_t before = offset % page_size();
    const std::size_t bytes = before + static_cast<std::size_t>(count_) * row_bytes();
    const int file = open(corpus.path().c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    struct stat status {};
    // Pages behind the end of a file raise SIGBUS; never map them.
    const bool whole = fstat(file, &status) == 0 &&
                       static_cast<std::size_t>(status.st_size) >= offset - before + bytes;
    void* const mapped = whole ? mmap(nullptr, bytes, PROT_READ, MAP_SHARED, file,
                                      static_cast<off_t>(offset - before))
                               : MAP_FAILED;
    close(file);
    if (mapped == MAP_FAILED) return false;
    mapped_ = mapped;
    mapped_bytes_ = bytes;
    pixels_ = static_cast<const std::uint8_t*>(mapped) + before;
    return true;
}

void Images::will_need(std::span<const std::int64_t> rows) const {
    if (mapped_ == nullptr) return;
    const auto base = reinterpret_cast<std::uintptr_t>(mapped_);
    for (const auto i : rows) {
        const auto begin = reinterpret_cast<std::uintptr_t>(row(i));
        const auto page = begin - (begin - base) % page_size();
        madvise(reinterpret_cast<void*>(page), begin + row_bytes() - page, MADV_WILLNEED);
    }
}

}  // namespace nanoatlas::nn
