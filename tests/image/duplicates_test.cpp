// Fingerprints tell the same picture from another one; the index finds what comparing all pairs
// does.
#include "image/duplicates.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/random.hpp"
#include "base/union_find.hpp"

namespace nanoatlas::testing {
namespace {

using image::Fingerprint;
using Pixels = std::vector<std::uint8_t>;
constexpr int size = 128;

/// Blobs of random places and sizes over a slope that all pictures share.
Pixels scene(std::uint64_t seed) {
    base::Random random(seed);
    std::vector<double> grey(size * size);
    for (int blob = 0; blob < 60; ++blob) {
        const double x0 = random.uniform(0, size), y0 = random.uniform(0, size),
                     radius = random.uniform(3, 12), height = random.uniform(-90, 90);
        for (int y = 0; y < size; ++y)
            for (int x = 0; x < size; ++x)
                grey[static_cast<std::size_t>(y * size + x)] +=
                    height *
                    std::exp(-((x - x0) * (x - x0) + (y - y0) * (y - y0)) / (radius * radius));
    }
    Pixels pixels;
    for (std::size_t i = 0; i < grey.size(); ++i)
        pixels.push_back(static_cast<std::uint8_t>(
            std::clamp(120 + grey[i] + static_cast<double>(i % size) * 0.3, 0.0, 255.0)));
    return pixels;
}

Pixels altered(Pixels pixels, double gain, double offset, double noise, std::uint64_t seed) {
    base::Random random(seed);
    for (auto& pixel : pixels)
        pixel = static_cast<std::uint8_t>(
            std::clamp(pixel * gain + offset + noise * random.normal(), 0.0, 255.0));
    return pixels;
}

std::vector<std::uint8_t> none_small(std::size_t count) {
    return std::vector<std::uint8_t>(count, 0);
}

TEST(Duplicates, same_scene_with_noise_and_other_contrast) {
    std::vector<Fingerprint> pictures;
    constexpr int scenes = 40;
    for (int s = 0; s < scenes; ++s) {
        pictures.push_back(image::fingerprint(scene(s), size));
        pictures.push_back(image::fingerprint(scene(s), size));
        pictures.push_back(image::fingerprint(altered(scene(s), 0.8, 15, 8, s), size));
    }
    const auto found = image::find_duplicates(pictures, none_small(pictures.size()));
    for (int s = 0; s < scenes; ++s) {
        const auto first = static_cast<std::int64_t>(3 * s);
        const auto at = static_cast<std::size_t>(first);
        EXPECT_EQ(found.duplicate_of[at], -1);
        EXPECT_EQ(found.duplicate_of[at + 1], first);
        EXPECT_EQ(found.duplicate_of[at + 2], first);
        for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(found.group[at + i], first);
    }
}

TEST(Duplicates, small_pictures_only_exactly) {
    const auto picture = image::fingerprint(scene(1), size);
    const auto alike = image::fingerprint(altered(scene(1), 1, 0, 3, 9), size);
    const std::vector<Fingerprint> pictures = {picture, alike, picture};
    const std::vector<std::uint8_t> small(3, 1);
    const auto found = image::find_duplicates(pictures, small);
    EXPECT_EQ(found.duplicate_of, (std::vector<std::int64_t>{-1, -1, 0}));
    EXPECT_EQ(found.group, (std::vector<std::int64_t>{0, 1, 0}));
}

TEST(Duplicates, none_and_one) {
    EXPECT_TRUE(image::find_duplicates({}, {}).group.empty());
    const std::vector<Fingerprint> one(1);
    EXPECT_EQ(image::find_duplicates(one, none_small(1)).group, std::vector<std::int64_t>{0});
}

/// Random hashes with some near others: as far as 9 bits, beyond what is searched for.
std::vector<Fingerprint> random_fingerprints(std::int64_t count, std::uint64_t seed) {
    std::vector<Fingerprint> pictures;
    base::Random random(seed);
    for (std::int64_t i = 0; i < count; ++i) {
        Fingerprint picture{.exact = random(), .perceptual = random()};
        for (auto& word : picture.detail.strong) word = random();
        for (auto& word : picture.detail.brighter) word = random();
        if (i > 0 && random.chance(0.4)) {
            const auto& other = pictures[random.below(static_cast<std::uint64_t>(i))];
            picture.perceptual = other.perceptual;
            picture.detail = other.detail;
            for (auto flips = random.below(10); flips > 0; --flips)
                picture.perceptual ^= std::uint64_t{1} << random.below(64);
            for (auto flips = random.below(200); flips > 0; --flips)
                picture.detail.brighter[random.below(8)] ^= std::uint64_t{1} << random.below(64);
            if (random.chance(0.1)) picture.exact = other.exact;
        }
        pictures.push_back(picture);
    }
    return pictures;
}

/// Every pair compared.
image::Duplicates by_all_pairs(const std::vector<Fingerprint>& pictures) {
    const auto count = static_cast<std::int64_t>(pictures.size());
    base::UnionFind groups(count);
    image::Duplicates found{.duplicate_of = std::vector<std::int64_t>(pictures.size(), -1),
                            .group = {}};
    std::vector<bool> repeats(pictures.size());  // pixels seen before: compared no further
    for (std::size_t i = 0; i < pictures.size(); ++i)
        for (std::size_t j = 0; j < i; ++j) {
            const bool exact = pictures[i].exact == pictures[j].exact;
            repeats[i] = repeats[i] || exact;
        }
    for (std::size_t i = 0; i < pictures.size(); ++i)
        for (std::size_t j = 0; j < i; ++j) {
            if (repeats[j]) continue;
            const bool exact = pictures[i].exact == pictures[j].exact;
            if (!exact && (repeats[i] || !image::are_alike(pictures[i], pictures[j]))) continue;
            groups.join(static_cast<std::int64_t>(i), static_cast<std::int64_t>(j));
            if (found.duplicate_of[i] < 0) found.duplicate_of[i] = static_cast<std::int64_t>(j);
        }
    for (std::int64_t i = 0; i < count; ++i) found.group.push_back(groups.first_of(i));
    return found;
}

TEST(Duplicates, the_index_finds_what_all_pairs_do) {
    for (std::uint64_t seed = 0; seed < 12; ++seed) {
        const auto pictures = random_fingerprints(20 + static_cast<std::int64_t>(seed) * 40, seed);
        const auto found = image::find_duplicates(pictures, none_small(pictures.size()));
        const auto expected = by_all_pairs(pictures);
        EXPECT_EQ(found.duplicate_of, expected.duplicate_of);
        EXPECT_EQ(found.group, expected.group);
    }
}

TEST(Duplicates, a_hundred_thousand_in_a_moment) {
    const auto pictures = random_fingerprints(100'000, 3);
    const auto found = image::find_duplicates(pictures, none_small(pictures.size()));
    const auto repeats = std::count_if(found.duplicate_of.begin(), found.duplicate_of.end(),
                                       [](auto row) { return row >= 0; });
    EXPECT_GT(repeats, 15'000);
}

}  // namespace
}  // namespace nanoatlas::testing
