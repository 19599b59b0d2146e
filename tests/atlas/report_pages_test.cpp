// The pages: the same on any number of ranks, all there, linked, escaped; what they say of clusters
// and images.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>

#include "tests/atlas/drawn_atlas.hpp"
#include "tests/kokkos_environment.hpp"
#include "tests/temporary_folder.hpp"

namespace nanoatlas::atlas {
namespace {

using namespace testing;

/// Each href and src of the pages leads to a file of the atlas or to a place on a page.
void expect_links_lead_somewhere(const Files& files) {
    static const std::regex link(R"re((?:href|src)="([^"#]*)(#[^"]*)?")re");
    for (const auto& [path, text] : files) {
        if (!path.ends_with(".html")) continue;
        for (std::sregex_iterator at(text.begin(), text.end(), link), end; at != end; ++at) {
            const std::string target = (*at)[1];
            if (target.empty()) continue;
            const auto full =
                (std::filesystem::path(path).parent_path() / target).lexically_normal().string();
            EXPECT_TRUE(files.contains(full)) << path << " links to " << target;
        }
    }
}

void expect_nothing_hostile(const Files& files) {
    for (const auto& [path, text] : files) {
        if (!path.ends_with(".html") && !path.starts_with("data/")) continue;
        if (path.ends_with(".jpg")) continue;
        EXPECT_EQ(text.find("<script>document"), std::string::npos) << path;
        EXPECT_EQ(text.find("<img src=x"), std::string::npos) << path;
        EXPECT_EQ(text.find("onload=\"x"), std::string::npos) << path;
    }
}

TEST(Report, ranks_do_not_show_in_the_files) {
    const TemporaryFolder folder;
    const Sample sample{.has_scan = true, .has_variances = false};
    const auto options = write_for_atlas(folder / "", sample, world());
    const auto summary = draw(options, world());
    EXPECT_EQ(summary.images, sample.images);
    EXPECT_EQ(summary.clusters, sample.clusters);
    world().on_root([&] {
        auto alone = options;
        alone.output = folder / "alone";
        draw(alone, comm::Communicator::self());
        const auto files = read_files(options.output), expected = read_files(alone.output);
        ASSERT_EQ(files.size(), expected.size());
        for (const auto& [path, bytes] : expected)
            EXPECT_TRUE(files.at(path) == bytes) << path << " differs";
    });
}

TEST(Report, works_with_whatever_is_there) {
    const std::vector<Sample> samples = {
        {},
        {.has_labels = false, .has_topography = false, .has_predictions = false, .rejects = 0},
        {.images = 1, .clusters = 1, .rejects = 0},
        {.images = 2, .clusters = 1, .has_topography = false, .has_predictions = false},
        {.clusters = 25, .has_noise = true},
        {.has_topography = false, .has_variances = false, .has_noise = true, .image_side = 9},
        {.images = 2, .clusters = 1, .has_variances = false},
        {.clusters = 25, .has_topography = false, .has_condensed_tree = true, .has_noise = true},
        {.images = 2, .clusters = 1, .has_topography = false, .has_condensed_tree = true}};
    for (const auto& sample : samples) {
        const TemporaryFolder folder;
        const auto options = write_for_atlas(folder / "", sample, world());
        draw(options, world());
        world().on_root([&] {
            const auto files = read_files(options.output);
            for (const char* page : {"index.html", "overview.html", "rejects.html"})
                EXPECT_TRUE(files.contains(page)) << page;
            EXPECT_EQ(files.contains("evaluation.html"),
                      sample.has_labels || sample.has_predictions);
            for (int k = 0; k < sample.clusters; ++k)
                EXPECT_TRUE(files.contains("clusters/" + std::to_string(k) + ".html"));
            expect_links_lead_somewhere(files);
            expect_nothing_hostile(files);
        });
    }
}

TEST(Report, says_what_clusters_are_about) {
    const TemporaryFolder folder;
    const Sample sample{.images = 120};
    const auto options = write_for_atlas(folder / "", sample, world());
    draw(options, world());
    world().on_root([&] {
        const auto files = read_files(options.output);
        const auto clusters = nlohmann::json::parse(files.at("clusters.json")).at("clusters");
        ASSERT_EQ(clusters.size(), 3U);
        EXPECT_EQ(clusters[1].at("images"), 40);
        EXPECT_EQ(clusters[1].at("centre").at("row"), 1);
        const auto& session = clusters[1].at("values").at(0);
        EXPECT_EQ(session.at("field"), "session");
        EXPECT_EQ(session.at("lift"), 3);
        EXPECT_LT(session.at("log10_q"), -20);
        EXPECT_EQ(clusters[1].at("only_session"), session.at("value"));
        // Every fourth row has no record, so not all of the cluster are known to have one bar.
        EXPECT_TRUE(clusters[1].at("only_info_bar").is_null());
        EXPECT_NE(files.at("clusters/1.html").find("<b>One session.</b>"), std::string::npos);
        EXPECT_NE(files.at("clusters/1.html").find("20 rows"), std::string::npos);
        EXPECT_NE(files.at("overview.html").find("one session"), std::string::npos);
    });
}

TEST(Report, lists_rejects_and_duplicates_in_full) {
    const TemporaryFolder folder;
    const Sample sample{.rejects = 40};
    const auto options = write_for_atlas(folder / "", sample, world());
    draw(options, world());
    world().on_root([&] {
        const auto files = read_files(options.output);
        const auto count = [](const std::string& text, const std::string& what) {
            int found = 0;
            for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
                ++found;
            return found;
        };
        EXPECT_EQ(count(files.at("rejects.html"), "no image &lt;b&gt;"), 40);
        EXPECT_EQ(count(files.at("duplicates.html"), ">copy<"), 3);
        EXPECT_EQ(count(files.at("data/paths.js"), ".tif\""), sample.images);
    });
}

}  // namespace
}  // namespace nanoatlas::atlas
