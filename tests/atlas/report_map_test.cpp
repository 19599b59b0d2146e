// What the page of the map draws: principal components, or the places of a map of its own.
#include <gtest/gtest.h>

#include "base/check.hpp"
#include "tests/atlas/drawn_atlas.hpp"
#include "tests/kokkos_environment.hpp"
#include "tests/temporary_folder.hpp"

namespace nanoatlas::atlas {
namespace {

using namespace testing;

TEST(Report, the_map_shows_principal_components) {
    for (const bool has_variances : {true, false}) {
        const TemporaryFolder folder;
        const Sample sample{.images = 40, .has_variances = has_variances};
        const auto options = write_for_atlas(folder / "", sample, world());
        draw(options, world());
        world().on_root([&] {
            const auto data = read_files(options.output).at("data/map.js");
            EXPECT_NE(data.find("PC 1 ("), std::string::npos);
            EXPECT_NE(data.find("Magnification"), std::string::npos);
            EXPECT_EQ(data.find("PC 1 (60.0 %)") != std::string::npos, has_variances);
        });
    }
}

TEST(Report, a_map_places_the_images) {
    const TemporaryFolder folder;
    const Sample sample{.images = 40, .has_map = true};
    auto options = write_for_atlas(folder / "", sample, world());
    draw(options, world());
    const auto with = read_files(options.output);
    options.files.map = "";
    draw(options, world());
    const auto without = read_files(options.output);
    const auto &data = with.at("data/map.js"), &plain = without.at("data/map.js");
    EXPECT_NE(data.find("placement: {title: \"t-SNE map\""), std::string::npos);
    EXPECT_NE(data.find("key: \"kept\""), std::string::npos);
    EXPECT_NE(plain.find("placement: null"), std::string::npos);
    EXPECT_NE(with.at("data/map-0.jpg"), without.at("data/map-0.jpg"))
        << "thumbnails do not lie as the map's points do";
    EXPECT_NE(with.at("provenance.html").find("map.h5"), std::string::npos);
    world().on_root([&] { std::filesystem::create_directory(folder / "other"); });
    write_sample(folder / "other", {.images = 41, .has_map = true}, world());
    for (const auto& wrong : {folder / "other/map.h5", folder / "embedding.h5"}) {
        options.files.map = wrong;
        EXPECT_THROW(draw(options, world()), InputError);
    }
}

}  // namespace
}  // namespace nanoatlas::atlas
