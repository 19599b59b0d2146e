#include "synth/damage.hpp"

#include <fmt/core.h>
#include <zlib.h>

#include <array>
#include <string_view>

#include "synth/micrograph.hpp"

namespace nanoatlas::synth {
namespace {

constexpr std::array<std::string_view, kinds_of_damage> names = {
    "truncated.tif", "truncated.jpg", "truncated.png", "empty.jpg",  "text.png",
    "huge.tif",      "huge.png",      "flipped.png",   "garbage.tif"};

std::string_view kind_of(std::int64_t number) {
    return names[static_cast<std::size_t>(number % kinds_of_damage)];
}

Bytes cut(Bytes bytes, double share) {
    bytes.resize(static_cast<std::size_t>(share * static_cast<double>(bytes.size())));
    return bytes;
}

void put(Bytes& bytes, std::uint64_t value, int count, bool big_endian) {
    for (int i = 0; i < count; ++i)
        bytes.push_back(static_cast<std::uint8_t>(value >> 8 * (big_endian ? count - 1 - i : i)));
}

// A directory that promises 60,000 x 60,000 pixels in one strip, and nothing behind it.
Bytes huge_tiff() {
    Bytes bytes = {'I', 'I', 42, 0, 8, 0, 0, 0};
    constexpr std::array<std::array<std::uint32_t, 3>, 8> entries = {{{256, 4, 60000},
                                                                      {257, 4, 60000},
                                                                      {258, 3, 8},
                                                                      {259, 3, 1},
                                                                      {262, 3, 1},
                                                                      {273, 4, 122},
                                                                      {278, 4, 60000},
                                                                      {279, 4, 3600000000U}}};
    put(bytes, entries.size(), 2, false);
    for (const auto& [tag, type, value] : entries) {
        put(bytes, tag, 2, false), put(bytes, type, 2, false);
        put(bytes, 1, 4, false), put(bytes, value, 4, false);
    }
    put(bytes, 0, 4, false);
    return bytes;
}

// A sound header chunk for 60,000 x 60,000 pixels, then nothing.
Bytes huge_png() {
    Bytes bytes = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
    put(bytes, 13, 4, true);
    Bytes chunk = {'I', 'H', 'D', 'R'};
    put(chunk, 60000, 4, true), put(chunk, 60000, 4, true);
    chunk.insert(chunk.end(), {8, 0, 0, 0, 0});
    bytes.insert(bytes.end(), chunk.begin(), chunk.end());
    put(bytes, crc32(0, chunk.data(), static_cast<uInt>(chunk.size())), 4, true);
    return bytes;
}

}  // namespace

std::string damaged_name(std::int64_t number) {
    return fmt::format("damaged_{:06}_{}", number, kind_of(number));
}

Bytes damaged_file(std::uint64_t seed, std::int64_t number) {
    base::Random random(seed, base::fnv1a("synth/damage"), number);
    const auto kind = kind_of(number);
    const auto picture = [&] { return to_picture(draw(seed, number, 96)); };
    const double share = random.uniform(0.3, 0.7);
    if (kind == "truncated.tif") return cut(encode_tiff(picture(), {}), share);
    if (kind == "truncated.jpg") return cut(encode_jpeg(picture(), 90), share);
    if (kind == "truncated.png") return cut(encode_png(picture(), 8), share);
    if (kind == "empty.jpg") return {};
    if (kind == "huge.tif") return huge_tiff();
    if (kind == "huge.png") return huge_png();
    if (kind == "text.png") {
        constexpr std::string_view text =
            "Sample 12, see notebook p. 34: no picture was taken.\r\n";
        return {text.begin(), text.end()};
    }
    Bytes bytes = encode_png(picture(), 8);
    if (kind == "flipped.png")
        for (std::size_t i = bytes.size() / 3; i < bytes.size(); i += 97) bytes[i] ^= 0x55;
    else
        for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
    return bytes;
}

}  // namespace nanoatlas::synth
