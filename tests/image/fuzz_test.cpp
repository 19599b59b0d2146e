// Random damage to valid files: decoders refuse or read, and never crash, hang or take memory
// without bound.
#include <gtest/gtest.h>

#include "base/random.hpp"
#include "image/codecs.hpp"
#include "tests/image/crafted.hpp"

namespace nanoatlas::testing {
namespace {

std::vector<FileBytes> small_valid_files() {
    return {make_jpeg({.width = 40, .height = 24}),
            make_jpeg({.width = 40, .height = 24, .progressive = true}),
            make_jpeg({.width = 40, .height = 24, .channels = 4}),
            make_png({.width = 40, .height = 24}),
            make_png({.width = 40, .height = 24, .bits = 16, .channels = 3, .interlaced = true}),
            make_png({.width = 40, .height = 24, .channels = 0}),
            make_tiff({.width = 40, .height = 24}),
            make_tiff({.width = 40,
                       .height = 24,
                       .bits = 16,
                       .compression = 5,
                       .texts = {{34118, "AP_WD\nWD = 1 mm"}}}),
            make_tiff({.width = 40, .height = 24, .compression = 8, .tile = 16, .pages_after = 2}),
            make_tiff({.width = 40, .height = 24, .photometric = 3, .compression = 32773}),
            make_tiff({.width = 40,
                       .height = 24,
                       .bits = 32,
                       .samples = Samples::floating,
                       .thumbnails_before = 1}),
            make_tiff({.width = 40, .height = 24, .channels = 4, .photometric = 5})};
}

FileBytes damaged(FileBytes bytes, base::Random& random) {
    if (random.chance(0.2)) bytes.resize(random.below(bytes.size()));
    // Half of the damage goes to the first bytes, where headers are.
    const auto flips = bytes.empty() ? 0 : 1 + random.below(8);
    for (std::uint64_t i = 0; i < flips; ++i) {
        const auto range =
            random.chance(0.5) ? std::min<std::size_t>(bytes.size(), 300) : bytes.size();
        bytes[random.below(range)] = static_cast<std::uint8_t>(random.below(256));
    }
    return bytes;
}

TEST(DecodeFuzz, random_damage_is_read_or_refused) {
    constexpr int rounds = 1500;
    int refused = 0, read = 0;
    for (const auto& valid : small_valid_files())
        for (int round = 0; round < rounds; ++round) {
            base::Random random(17, round, valid.size());
            try {
                const auto decoded = image::decode(damaged(valid, random));
                ASSERT_EQ(decoded.image.samples.size(),
                          static_cast<std::size_t>(decoded.image.width) *
                              static_cast<std::size_t>(decoded.image.height));
                ++read;
            } catch (const image::Unusable& cause) {
                ASSERT_NE(std::string(cause.what()), "");
                ++refused;
            }
        }
    EXPECT_GT(refused, rounds);
    EXPECT_GT(read, rounds);
}

}  // namespace
}  // namespace nanoatlas::testing
