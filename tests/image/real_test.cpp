// Real micrographs: every one is read, and its info bar found where there is one.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "image/prepare.hpp"
#include "tests/shared_data.hpp"

namespace nanoatlas::testing {
namespace {

/// Heights of bars, and how many images have each.
std::map<int, int> bars_of(const std::string& folder, std::size_t step = 1) {
    std::map<int, int> count;
    const auto listing = image::list_sources({(shared_data() / folder).string()});
    EXPECT_FALSE(listing.sources.empty());
    for (std::size_t i = 0; i < listing.sources.size(); i += step) {
        const auto picture = image::prepare(listing.sources[i], {.size = 64});
        EXPECT_EQ(picture.bar.top, 0) << listing.sources[i].path;
        ++count[picture.bar.bottom];
    }
    return count;
}

TEST(RealImages, sec_bars_64_of_960_rows) {
    NEEDS_SHARED("data/sem-ncm");
    EXPECT_EQ(bars_of("data/sem-ncm/originals").size(), 1U);
    EXPECT_EQ(bars_of("data/sem-ncm/originals").begin()->first, 64);
    for (const auto& [rows, count] : bars_of("data/sem-ncm/images", 5)) {
        EXPECT_GE(rows, 25) << count;
        EXPECT_LE(rows, 27) << count;
    }
}

TEST(RealImages, families_with_and_without_bars) {
    NEEDS_SHARED("data/sem-families");
    const std::string families = "data/sem-families/";
    const std::map<int, int> none_of_16 = {{0, 16}}, none_of_15 = {{0, 15}}, none_of_8 = {{0, 8}},
                             none_of_7 = {{0, 7}};
    EXPECT_EQ(bars_of(families + "superalloy"), none_of_16);
    EXPECT_EQ(bars_of(families + "barrier_coating"), none_of_15);
    EXPECT_EQ(bars_of(families + "metal_powder"), none_of_8);
    EXPECT_EQ(bars_of(families + "carbide_steel"), none_of_7);
    for (const auto* family : {"lung_cells", "nanowires", "battery_cathode"})
        for (const auto& [rows, count] : bars_of(families + family)) {
            EXPECT_GE(rows, 25) << family;
            EXPECT_LE(rows, 31) << family;
        }
}

TEST(RealImages, vendor_files) {
    NEEDS_SHARED("data/sem-vendor");
    EXPECT_EQ(bars_of("data/sem-vendor/fei-versa3d"), (std::map<int, int>{{79, 5}}));
    EXPECT_EQ(bars_of("data/sem-vendor/fibics"), (std::map<int, int>{{0, 1}}));
    EXPECT_EQ(bars_of("data/sem-vendor/thermofisher"), (std::map<int, int>{{0, 1}}));
    EXPECT_EQ(bars_of("data/sem-vendor/zeiss"), (std::map<int, int>{{0, 1}, {78, 2}}));
}

}  // namespace
}  // namespace nanoatlas::testing
