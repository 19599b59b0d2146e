// What the page of the map draws: principal components, or the places of a map of its own.
#include <gtest/gtest.h>

#include "base/check.hpp"
#include "base/log.hpp"
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

/// What is said while an atlas is drawn; empty on ranks that do not speak.
std::string messages_of(const TemporaryFolder& folder, const ReportOptions& options) {
    const auto log = folder / fmt::format("log{}.jsonl", world().rank());
    base::set_log_outputs(true, log);
    draw(options, world());
    base::set_log_outputs(false, "");
    std::ostringstream text;
    text << std::ifstream(log).rdbuf();
    std::filesystem::remove(log);
    return text.str();
}

TEST(Report, a_map_of_another_matrix_is_told) {
    const TemporaryFolder folder;
    // As many images, so that the map's number of rows tells nothing.
    const Sample sample{.images = 40, .clusters = 4, .has_map = true},
        other{.images = 40, .clusters = 5, .has_map = true};
    world().on_root([&] { std::filesystem::create_directory(folder / "other"); });
    write_sample(folder / "other", other, world());
    auto options = write_for_atlas(folder / "", sample, world());
    const auto own = messages_of(folder, options);
    options.files.map = folder / "other/map.h5";
    const auto foreign = messages_of(folder, options);
    EXPECT_EQ(own.find("another matrix"), std::string::npos) << own;
    if (world().is_root()) {
        EXPECT_NE(foreign.find("warning"), std::string::npos) << foreign;
        EXPECT_NE(foreign.find("other/map.h5' was made of another matrix than the embedding"),
                  std::string::npos)
            << foreign;
    }
}

}  // namespace
}  // namespace nanoatlas::atlas
