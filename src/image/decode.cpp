#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "image/codecs.hpp"

namespace nanoatlas::image {
namespace {

constexpr std::uint64_t max_bytes = std::uint64_t{4} << 30;
/// No codec here packs more: deflate reaches 8,256 one-bit pixels a byte.
constexpr std::uint64_t max_pixels_per_byte = 10'000;

class Descriptor {
  public:
    explicit Descriptor(const std::string& path)
        : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
    ~Descriptor() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const { return descriptor_; }

  private:
    int descriptor_;
};

std::string cause_of_errno() {
    return std::strerror(errno);
}

bool starts_with(Bytes file, std::initializer_list<std::uint8_t> magic) {
    return file.size() >= magic.size() && std::equal(magic.begin(), magic.end(), file.begin());
}

bool looks_like_text(Bytes file) {
    const auto head = file.first(std::min<std::size_t>(file.size(), 512));
    return std::all_of(head.begin(), head.end(),
                       [](std::uint8_t c) { return c >= 32 || (c >= 9 && c <= 13); });
}

}  // namespace

std::vector<std::uint8_t> read_file(const std::string& path) {
    const Descriptor file(path);
    if (file.get() < 0) throw Unusable(fmt::format("cannot be opened ({})", cause_of_errno()));
    struct stat status {};
    if (::fstat(file.get(), &status) != 0)
        throw Unusable(fmt::format("cannot be read ({})", cause_of_errno()));
    if (!S_ISREG(status.st_mode)) throw Unusable("is not a regular file");
    const auto size = static_cast<std::uint64_t>(status.st_size);
    if (size == 0) throw Unusable("is empty (0 bytes)");
    if (size > max_bytes) throw Unusable(fmt::format("is too large ({} bytes)", size));

    std::vector<std::uint8_t> bytes(size);
    std::size_t done = 0;
    while (done < bytes.size()) {
        const auto got = ::read(file.get(), bytes.data() + done, bytes.size() - done);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw Unusable(fmt::format("cannot be read ({})", cause_of_errno()));
        if (got == 0) throw Unusable("became shorter while it was read");
        done += static_cast<std::size_t>(got);
    }
    return bytes;
}

void check_size(std::uint64_t width, std::uint64_t height, std::uint64_t file_bytes,
                std::uint64_t bytes_per_pixel) {
    const auto side = static_cast<std::uint64_t>(min_side);
    if (width < side || height < side)
        throw Unusable(fmt::format("is {} x {} pixels (an image needs at least {} x {})", width,
                                   height, min_side, min_side));
    const bool too_large = width > max_pixels || height > max_pixels ||
                           width * height > max_pixels ||
                           width * height * bytes_per_pixel > max_bytes;
    if (too_large)
        throw Unusable(fmt::format("claims {} x {} pixels (more than the limit of {} million)",
                                   width, height, max_pixels >> 20));
    if (width * height > max_pixels_per_byte * file_bytes)
        throw Unusable(
            fmt::format("claims {} x {} pixels, which its {} bytes cannot hold (damaged "
                        "header)",
                        width, height, file_bytes));
}

Decoded decode(Bytes file) {
    if (starts_with(file, {0xFF, 0xD8, 0xFF})) return decode_jpeg(file);
    if (starts_with(file, {0x89, 'P', 'N', 'G'})) return decode_png(file);
    const bool little =
        starts_with(file, {'I', 'I', 42, 0}) || starts_with(file, {'I', 'I', 43, 0});
    const bool big = starts_with(file, {'M', 'M', 0, 42}) || starts_with(file, {'M', 'M', 0, 43});
    if (little || big) return decode_tiff(file);
    throw Unusable(looks_like_text(file) ? "is text, not an image (whatever its name says)"
                                         : "is no TIFF, JPEG or PNG (by its first bytes)");
}

}  // namespace nanoatlas::image
