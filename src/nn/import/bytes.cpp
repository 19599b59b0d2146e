#include "nn/import/bytes.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/check.hpp"
#include "base/memory.hpp"

namespace nanoatlas::nn {

namespace {
constexpr std::uintmax_t largest_file = std::uintmax_t{8} << 30;
}

std::vector<std::byte> read_bytes(const std::string& path) {
    std::error_code error;
    VALIDATE(std::filesystem::is_regular_file(path, error), "there is no such file");
    const auto size = std::filesystem::file_size(path, error);
    VALIDATE(!error, "its size is unknown ({})", error.message());
    VALIDATE(size > 0, "the file is empty");
    VALIDATE(size <= largest_file, "it has {} bytes (more than 8 GiB is no network known here)",
             size);
    VALIDATE(size <= static_cast<std::uintmax_t>(base::available_memory()) / 3,
             "its {} bytes and their tensors do not fit into this machine's memory", size);
    std::ifstream file(path, std::ios::binary);
    std::vector<std::byte> bytes(size);
    file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size));
    VALIDATE(file.good(), "the file cannot be read (no permission, or a damaged disk)");
    return bytes;
}

void ByteReader::seek(std::size_t position) {
    VALIDATE(position <= bytes_.size(), "offset {} lies outside its {} bytes (truncated or forged)",
             position, bytes_.size());
    position_ = position;
}

Bytes ByteReader::take(std::uint64_t count) {
    VALIDATE(count <= remaining(), "at byte {}, {} more are announced but {} are left (truncated)",
             position_, count, remaining());
    const auto taken = bytes_.subspan(position_, static_cast<std::size_t>(count));
    position_ += taken.size();
    return taken;
}

std::uint64_t ByteReader::number(int bytes) {
    std::uint64_t value = 0;
    int shift = 0;
    for (const auto byte : take(static_cast<std::uint64_t>(bytes))) {
        value |= static_cast<std::uint64_t>(byte) << shift;
        shift += 8;
    }
    return value;
}

std::string ByteReader::text(std::uint64_t count) {
    return std::string(as_text(take(count)));
}

std::string ByteReader::line(std::size_t limit) {
    const auto window = as_text(bytes_.subspan(position_, std::min(remaining(), limit + 1)));
    const auto end = window.find('\n');
    VALIDATE(end != std::string_view::npos, "at byte {}, a line has no end within {} characters",
             position_, limit);
    position_ += end + 1;
    return std::string(window.substr(0, end));
}

std::string_view as_text(Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string printable(std::string_view text) {
    std::string clean(text.substr(0, 80));
    for (char& c : clean)
        if (static_cast<unsigned char>(c) < 32 || static_cast<unsigned char>(c) > 126) c = '?';
    return text.size() > 80 ? clean + "..." : clean;
}

}  // namespace nanoatlas::nn
