// A new atlas takes the place of an old one, wholly or not at all.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "base/check.hpp"
#include "tests/atlas/drawn_atlas.hpp"
#include "tests/kokkos_environment.hpp"
#include "tests/temporary_folder.hpp"

namespace nanoatlas::atlas {
namespace {

using namespace testing;

TEST(Report, replaces_an_old_atlas_and_nothing_else) {
    const TemporaryFolder folder;
    const Sample sample{.images = 12};
    auto options = write_for_atlas(folder / "", sample, world());
    draw(options, world());
    world().on_root([&] { std::ofstream(options.output + "/data/left-over.txt") << "old"; });
    draw(options, world());
    world().on_root([&] {
        EXPECT_FALSE(std::filesystem::exists(options.output + "/data/left-over.txt"));
        EXPECT_TRUE(std::filesystem::exists(options.output + "/index.html"));
    });

    options.output = folder / "photographs";
    world().on_root([&] {
        std::filesystem::create_directory(options.output);
        std::ofstream(options.output + "/precious.txt") << "keep";
    });
    EXPECT_THROW(draw(options, world()), InputError);
    world().on_root([&] {
        EXPECT_TRUE(std::filesystem::exists(options.output + "/precious.txt"));
        for (const auto& entry : std::filesystem::directory_iterator(folder / ""))
            EXPECT_EQ(entry.path().string().find(".partial"), std::string::npos) << entry.path();
    });
    options.output = folder / "no/such/folder";
    EXPECT_THROW(draw(options, world()), InputError);
}

TEST(Report, an_old_atlas_stays_if_the_inputs_do_not_fit) {
    const TemporaryFolder folder;
    const Sample sample{.images = 12};
    auto options = write_for_atlas(folder / "", sample, world());
    draw(options, world());
    world().on_root([&] { std::filesystem::create_directory(folder / "other"); });
    write_sample(folder / "other", {.images = 13}, world());
    options.files.embedding = folder / "other/embedding.h5";
    EXPECT_THROW(draw(options, world()), InputError);
    options.files.embedding = folder / "embedding.h5";
    options.files.clusters = folder / "other/clusters.h5";
    EXPECT_THROW(draw(options, world()), InputError);
    options.files.clusters = folder / "clusters.h5";
    options.files.metrics = folder.write("metrics.json", "[1, 2");
    EXPECT_THROW(draw(options, world()), InputError);
    world().on_root([&] { EXPECT_TRUE(std::filesystem::exists(options.output + "/index.html")); });
}

/// While it lives, no file of this process may grow beyond so many bytes: writing fails as it does
/// on a full disk.
class SmallFiles {
  public:
    explicit SmallFiles(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
        getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit limit{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
        setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~SmallFiles() {
        setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }
    SmallFiles(const SmallFiles&) = delete;
    SmallFiles& operator=(const SmallFiles&) = delete;

  private:
    rlimit before_{};
    void (*handler_)(int);
};

TEST(Report, an_old_atlas_stays_if_the_disk_is_full) {
    const TemporaryFolder folder;
    const Sample sample{.images = 30, .image_side = 8};
    const auto options = write_for_atlas(folder / "", sample, world());
    draw(options, world());
    for (const rlim_t bytes : {100, 12000}) {  // in a sheet; in a page
        const SmallFiles limit(bytes);
        EXPECT_THROW(draw(options, world()), EnvironmentError);
    }
    world().on_root([&] {
        EXPECT_TRUE(std::filesystem::exists(options.output + "/index.html"));
        for (const auto& entry : std::filesystem::directory_iterator(folder / ""))
            EXPECT_EQ(entry.path().string().find(".partial"), std::string::npos) << entry.path();
    });
}

}  // namespace
}  // namespace nanoatlas::atlas
