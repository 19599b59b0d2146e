// Bounds-checked reading of bytes that somebody else wrote.
//
// The readers in this folder throw InputError with "<what> (<why>)"; read_weights() puts the file's
// name before it and what to do behind it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nanoatlas::nn {

using Bytes = std::span<const std::byte>;

/// The whole file. throws InputError if it is missing, empty, larger than 8 GiB, or too large for
/// this machine's memory
std::vector<std::byte> read_bytes(const std::string& path);

/// A cursor that never leaves its bytes; numbers are little-endian.
class ByteReader {
  public:
    explicit ByteReader(Bytes bytes) : bytes_(bytes) {}

    std::size_t position() const { return position_; }
    std::size_t remaining() const { return bytes_.size() - position_; }
    /// throws InputError if position lies behind the end
    void seek(std::size_t position);

    /// All throw InputError if the bytes end before.
    Bytes take(std::uint64_t count);
    std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
    std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
    std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
    std::uint64_t u64() { return number(8); }
    std::string text(std::uint64_t count);
    /// Up to the next line feed, which is passed over; at most `limit` characters.
    std::string line(std::size_t limit);

  private:
    std::uint64_t number(int bytes);

    Bytes bytes_;
    std::size_t position_ = 0;
};

std::string_view as_text(Bytes bytes);

/// For messages: control characters replaced, cut after 80 characters.
std::string printable(std::string_view text);

}  // namespace nanoatlas::nn
