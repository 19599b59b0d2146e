// The pages in a browser, and the syntax of their scripts; skipped where neither is installed.
#include <gtest/gtest.h>

#include <filesystem>
#include <regex>

#include "tests/atlas/drawn_atlas.hpp"
#include "tests/command.hpp"
#include "tests/kokkos_environment.hpp"
#include "tests/mpi_test.hpp"

namespace nanoatlas::atlas {
namespace {

bool is_installed(const std::string& program) {
    return testing::run_command("command -v " + program).status == 0;
}

class Browser : public ::testing::Test {
  protected:
    void SetUp() override {
        if (!is_installed("chromium")) GTEST_SKIP() << "skipped: chromium is not installed";
        const testing::Sample sample{
            .images = 300, .clusters = 12, .has_map = true, .has_noise = true};
        testing::draw(testing::write_for_atlas(folder_.path(), sample, testing::world()),
                      testing::world());
    }

    /// The page's elements after its scripts have run.
    std::string open(const std::string& page) const {
        const auto result = testing::run_command(
            "timeout 60 chromium --headless=new --no-sandbox --disable-gpu --window-size=1200,800 "
            "--user-data-dir=" +
            folder_ / "profile" +
            " --virtual-time-budget=20000 --dump-dom "
            "'file://" +
            folder_ / ("atlas/" + page) + "'");
        EXPECT_EQ(result.status, 0) << result.output;
        return result.output;
    }

    testing::ScratchFolder folder_;
};

TEST_F(Browser, the_map_draws_every_image) {
    const auto page = open("index.html#image=7");
    EXPECT_NE(page.find("data-drawn=\"300\""), std::string::npos);
    EXPECT_NE(page.find("data-ready=\"yes\""), std::string::npos) << "paths did not load";
    EXPECT_EQ(page.find("<title>hit</title>"), std::string::npos) << "a path ran as a script";
    EXPECT_NE(page.find("Most similar"), std::string::npos) << "the image was not picked";
}

TEST_F(Browser, an_address_leads_to_a_cluster) {
    const auto page = open("index.html#cluster=3");
    EXPECT_NE(page.find("aria-pressed=\"true\""), std::string::npos);
    EXPECT_NE(page.find("data-drawn=\"300\""), std::string::npos);
}

TEST_F(Browser, the_map_has_two_layouts) {
    const std::regex axes_hidden(R"(id="axes-field" hidden)"), note("How far apart groups lie");
    const auto map = open("index.html");
    EXPECT_TRUE(std::regex_search(map, axes_hidden));
    EXPECT_TRUE(std::regex_search(map, note));
    const auto axes = open("index.html#layout=axes");
    EXPECT_FALSE(std::regex_search(axes, axes_hidden));
    EXPECT_NE(axes.find("id=\"layout-note\" class=\"note\" hidden"), std::string::npos);
    EXPECT_NE(axes.find("data-drawn=\"300\""), std::string::npos);
}

TEST_F(Browser, the_decision_graph_draws_every_image) {
    EXPECT_NE(open("overview.html").find("data-drawn=\"300\""), std::string::npos);
}

TEST_F(Browser, names_wait_for_their_fields) {
    EXPECT_NE(open("names.html").find("0 of 12 clusters named"), std::string::npos);
}

TEST(Scripts, parse) {
    if (!is_installed("node")) GTEST_SKIP() << "skipped: node is not installed";
    const auto folder = std::filesystem::path(NANOATLAS_SOURCE) / "src/atlas/web";
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() != ".js") continue;
        const auto result = testing::run_command("node --check " + entry.path().string());
        EXPECT_EQ(result.status, 0) << result.output;
    }
}

}  // namespace
}  // namespace nanoatlas::atlas
