#include "image/idx.hpp"

#include <fmt/core.h>
#include <zlib.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <mutex>

#include "image/codecs.hpp"

namespace nanoatlas::image {
namespace {

constexpr std::size_t max_inflated = std::size_t{8} << 30;
constexpr std::uint32_t images_magic = 0x803, labels_magic = 0x801;

/// zlib's stream, closed whatever happens.
class Inflater {
  public:
    Inflater() {
        if (inflateInit2(&stream_, 15 + 16) != Z_OK) throw std::bad_alloc();
    }
    ~Inflater() { inflateEnd(&stream_); }
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;
    z_stream& stream() { return stream_; }

  private:
    z_stream stream_{};
};

std::vector<std::uint8_t> gunzip(const std::vector<std::uint8_t>& packed) {
    constexpr std::size_t step = std::size_t{1} << 20;
    Inflater inflater;
    auto& stream = inflater.stream();
    std::vector<std::uint8_t> plain;
    std::size_t consumed = 0;
    for (int status = Z_OK; status != Z_STREAM_END;) {
        if (stream.avail_in == 0 && consumed < packed.size()) {
            const auto chunk = std::min(packed.size() - consumed, std::size_t{1} << 30);
            stream.next_in = const_cast<Bytef*>(packed.data() + consumed);
            stream.avail_in = static_cast<uInt>(chunk);
            consumed += chunk;
        }
        const std::size_t done = plain.size();
        if (done + step > max_inflated) throw Unusable("unpacks to more than 8 GiB");
        plain.resize(done + step);
        stream.next_out = plain.data() + done;
        stream.avail_out = static_cast<uInt>(step);
        status = inflate(&stream, Z_NO_FLUSH);
        plain.resize(plain.size() - stream.avail_out);
        if (status != Z_OK && status != Z_STREAM_END)
            throw Unusable("is truncated or damaged (its gzip stream does not unpack)");
    }
    return plain;
}

std::vector<std::uint8_t> read_plain(const std::string& path) {
    auto bytes = read_file(path);
    const bool packed = bytes.size() > 2 && bytes[0] == 0x1F && bytes[1] == 0x8B;
    return packed ? gunzip(bytes) : bytes;
}

std::uint32_t big_endian(const std::vector<std::uint8_t>& bytes, std::size_t at) {
    return std::uint32_t{bytes[at]} << 24 | std::uint32_t{bytes[at + 1]} << 16 |
           std::uint32_t{bytes[at + 2]} << 8 | bytes[at + 3];
}

IdxImages read_idx_images(const std::string& path) {
    auto bytes = read_plain(path);
    if (bytes.size() < 16 || big_endian(bytes, 0) != images_magic)
        throw Unusable("is no IDX file of images (its first bytes are not 00 00 08 03)");
    const std::uint64_t count = big_endian(bytes, 4), height = big_endian(bytes, 8),
                        width = big_endian(bytes, 12);
    check_size(width, height, bytes.size());
    if (count > (bytes.size() - 16) / (height * width))
        throw Unusable(fmt::format("is truncated (it should hold {} images of {} x {})", count,
                                   width, height));
    bytes.erase(bytes.begin(), bytes.begin() + 16);
    return {.count = static_cast<int>(count),
            .height = static_cast<int>(height),
            .width = static_cast<int>(width),
            .samples = std::move(bytes)};
}

}  // namespace

bool is_idx_name(const std::string& name) {
    return name.ends_with("idx3-ubyte") || name.ends_with("idx3-ubyte.gz");
}

std::string idx_labels_of(const std::string& images_path) {
    const std::filesystem::path path(images_path);
    auto name = path.filename().string();
    const auto replace = [&name](const std::string& from, const std::string& to) {
        const auto at = name.rfind(from);
        if (at != std::string::npos) name.replace(at, from.size(), to);
    };
    replace("images", "labels");
    replace("idx3", "idx1");
    for (const auto& candidate : {name, name + ".gz"}) {
        std::error_code ignored;
        const auto labels = path.parent_path() / candidate;
        if (labels != path && std::filesystem::exists(labels, ignored)) return labels.string();
    }
    return "";
}

std::shared_ptr<const IdxImages> open_idx_images(const std::string& path) {
    static std::mutex mutex;
    static std::map<std::string, std::shared_ptr<const IdxImages>> opened;
    const std::lock_guard lock(mutex);
    auto& images = opened[path];
    if (!images) images = std::make_shared<const IdxImages>(read_idx_images(path));
    return images;
}

std::vector<std::uint8_t> read_idx_labels(const std::string& path) {
    auto bytes = read_plain(path);
    if (bytes.size() < 8 || big_endian(bytes, 0) != labels_magic)
        throw Unusable("is no IDX file of labels (its first bytes are not 00 00 08 01)");
    if (big_endian(bytes, 4) > bytes.size() - 8) throw Unusable("is truncated");
    bytes.resize(8 + big_endian(bytes, 4));
    bytes.erase(bytes.begin(), bytes.begin() + 8);
    return bytes;
}

}  // namespace nanoatlas::image
