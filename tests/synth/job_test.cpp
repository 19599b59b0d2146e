// The job: the same files from any number of ranks, nothing drawn twice, nobody's files touched.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/check.hpp"
#include "jobs/jobs.hpp"
#include "synth/files.hpp"
#include "tests/mpi_test.hpp"
#include "tests/temporary_folder.hpp"

namespace nanoatlas {
namespace {

namespace fs = std::filesystem;

synth::Bytes read(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::int64_t count_images(const fs::path& folder) {
    std::int64_t count = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder))
        count += entry.is_regular_file() && entry.path().filename() != "synth.json";
    return count;
}

int run_synth(const fs::path& folder, const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"--output", folder.string(), "--size", "48", "--quiet"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const int status = jobs::run_synth(arguments, testing::world());
    testing::world().barrier();
    return status;
}

void expect_files(const fs::path& folder, const synth::FolderOptions& options) {
    const synth::Files files(options);
    for (std::int64_t i = 0; i < files.count(); ++i) {
        const auto file = files.make(i);
        EXPECT_EQ(read(folder / file.path), file.bytes) << file.path;
    }
    EXPECT_EQ(count_images(folder), files.count());
}

TEST(SynthJob, writes_the_same_bytes_on_any_number_of_ranks) {
    const testing::TemporaryFolder shared;
    const fs::path folder = shared / "images";
    ASSERT_EQ(run_synth(folder, {"--count", "23", "--damaged", "5", "--seed", "9"}), 0);
    expect_files(folder, {.count = 23, .seed = 9, .size = 48, .damaged = 5});
}

TEST(SynthJob, works_with_more_ranks_than_images_and_with_none) {
    const testing::TemporaryFolder shared;
    ASSERT_EQ(run_synth(shared / "one", {"--count", "1"}), 0);
    ASSERT_EQ(run_synth(shared / "none", {"--count", "0"}), 0);
    EXPECT_EQ(count_images(shared / "one"), 1);
    EXPECT_EQ(count_images(shared / "none"), 0);
}

TEST(SynthJob, skips_what_is_up_to_date_unless_forced) {
    const testing::TemporaryFolder shared;
    const fs::path folder = shared / "images";
    run_synth(folder, {"--count", "5"});
    const auto first = folder / synth::Files({.count = 5, .size = 48}).path(0);
    testing::world().on_root([&] { fs::resize_file(first, 3); });
    run_synth(folder, {"--count", "5"});
    EXPECT_EQ(fs::file_size(first), 3u) << "drawn again though nothing changed";
    testing::world().barrier();
    run_synth(folder, {"--count", "5", "--force"});
    EXPECT_GT(fs::file_size(first), 3u);
}

TEST(SynthJob, replaces_an_earlier_synthesis_whole) {
    const testing::TemporaryFolder shared;
    const fs::path folder = shared / "images";
    run_synth(folder, {"--count", "30", "--damaged", "3"});
    run_synth(folder, {"--count", "12", "--seed", "4", "--formats", "png"});
    expect_files(folder, {.count = 12, .seed = 4, .size = 48, .formats = "png"});
}

TEST(SynthJob, draws_again_after_a_run_that_was_killed) {
    const testing::TemporaryFolder shared;
    const fs::path folder = shared / "images";
    run_synth(folder, {"--count", "6"});
    testing::world().on_root([&] {
        auto manifest = nlohmann::json::parse(std::ifstream(folder / "synth.json"));
        manifest["complete"] = false;
        std::ofstream(folder / "synth.json") << manifest;
        fs::remove(folder / synth::Files({.count = 6, .size = 48}).path(5));
    });
    run_synth(folder, {"--count", "6"});
    expect_files(folder, {.count = 6, .size = 48});
}

TEST(SynthJob, leaves_a_folder_of_other_files_alone) {
    const testing::TemporaryFolder shared;
    const auto thesis = shared.write("thesis.txt", "mine");
    EXPECT_THROW(run_synth(fs::path(thesis).parent_path(), {"--count", "2"}), InputError);
    EXPECT_TRUE(fs::exists(thesis));
    EXPECT_EQ(count_images(fs::path(thesis).parent_path()), 1);
}

TEST(SynthJob, fails_on_every_rank_if_one_file_cannot_be_written) {
    const testing::TemporaryFolder shared;
    const fs::path folder = shared / "images";
    run_synth(folder, {"--count", "9"});
    testing::world().on_root([&] {
        const auto blocked =
            folder / synth::Files({.count = 9, .size = 48, .formats = "png"}).path(7);
        fs::create_directories(blocked / "inside");
    });
    EXPECT_THROW(run_synth(folder, {"--count", "9", "--formats", "png"}), EnvironmentError);
    testing::world().barrier();
    EXPECT_FALSE(nlohmann::json::parse(std::ifstream(folder / "synth.json"))["complete"]);
}

TEST(SynthJob, refuses_wrong_options_on_every_rank) {
    const testing::TemporaryFolder shared;
    const fs::path folder = shared / "images";
    EXPECT_THROW(run_synth(folder, {"--count", "-1"}), InputError);
    EXPECT_THROW(run_synth(folder, {"--formats", "bmp"}), InputError);
    EXPECT_THROW(run_synth(folder, {"--formats", ""}), InputError);
    EXPECT_THROW(run_synth(shared / "a", {"--size", "5"}), InputError);
    EXPECT_FALSE(fs::exists(folder));
}

}  // namespace
}  // namespace nanoatlas
