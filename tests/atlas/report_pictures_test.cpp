// Charts of the overview are files of their own, whole and linked.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/atlas/drawn_atlas.hpp"
#include "tests/kokkos_environment.hpp"
#include "tests/temporary_folder.hpp"

namespace nanoatlas::atlas {
namespace {

using namespace testing;

/// Each is there, complete, and linked from its page.
void expect_pictures(const Files& files, const std::vector<std::string>& names) {
    for (const auto& name : names) {
        const auto file = files.find("pictures/" + name + ".svg");
        ASSERT_NE(file, files.end()) << name;
        const auto& text = file->second;
        EXPECT_TRUE(text.starts_with("<svg xmlns=")) << name;
        for (const char* broken : {"var(", "nan", "inf", "<script"})
            EXPECT_EQ(text.find(broken), std::string::npos) << name << " has " << broken;
        EXPECT_NE(files.at(name == "confusion" ? "evaluation.html" : "overview.html")
                      .find("pictures/" + name + ".svg"),
                  std::string::npos)
            << name;
    }
}

TEST(Report, charts_are_files_too) {
    const TemporaryFolder folder;
    const Sample sample{.images = 80, .has_scan = true};
    auto options = write_for_atlas(folder / "", sample, world());
    options.files.dimension = folder.write("dimension.json", R"({
        "two_nn": {"fit": {"dimension": 5.5, "error": 0.1, "scale": 2, "rows": 80, "rank": 2},
                   "likelihood": {"dimension": 5, "error": 0.1, "scale": 2, "rows": 80, "rank": 2}},
        "gride": [{"dimension": 5.2, "error": 0.2, "scale": 2, "rows": 80, "rank": 2},
                  {"dimension": 4.1, "error": null, "scale": 3, "rows": 80, "rank": 4}],
        "decimation": []})");
    draw(options, world());
    world().on_root([&] {
        const auto files = read_files(options.output);
        expect_pictures(files, {"spectrum", "dendrogram", "decision", "silhouette", "splits",
                                "clusters-by-Z", "stability", "confusion", "dimension"});
        EXPECT_NE(files.at("clusters/2.html").find("13 images"), std::string::npos);
        EXPECT_NE(files.at("overview.html").find("5.2 ± 0.4"), std::string::npos);
    });
}

TEST(Report, draws_what_hdbscan_found) {
    const TemporaryFolder folder;
    const Sample sample{
        .images = 80, .has_topography = false, .has_condensed_tree = true, .has_noise = true};
    const auto options = write_for_atlas(folder / "", sample, world());
    draw(options, world());
    world().on_root([&] {
        const auto files = read_files(options.output);
        expect_pictures(files,
                        {"condensed-tree", "clusters-by-size", "quality-by-size", "stability"});
        const auto& tree = files.at("pictures/condensed-tree.svg");
        for (int k = 0; k < sample.clusters; ++k)
            EXPECT_NE(tree.find(fmt::format("../clusters/{}.html", k)), std::string::npos);
        EXPECT_NE(files.at("pictures/stability.svg").find("least size of a cluster"),
                  std::string::npos);
    });
}

}  // namespace
}  // namespace nanoatlas::atlas
