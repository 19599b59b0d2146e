// Folders, lists, links and IDX files become a list of images; what cannot be read is said.
#include "image/list.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/check.hpp"
#include "tests/image/crafted.hpp"
#include "tests/scratch_folder.hpp"

namespace nanoatlas::testing {
namespace {

namespace fs = std::filesystem;

class List : public ::testing::Test {
  protected:
    void add(const std::string& name, const std::string& text = "x") {
        fs::create_directories((folder_.path() / name).parent_path());
        write_file(folder_ / name, text);
    }
    void link(const std::string& target, const std::string& name) {
        fs::create_directories((folder_.path() / name).parent_path());
        fs::create_symlink(target, folder_.path() / name);
    }
    image::Listing list(const std::string& below = "") const {
        return image::list_sources({(folder_.path() / below).string()});
    }
    static std::vector<std::string> relative(const image::Listing& listing) {
        std::vector<std::string> names;
        for (const auto& source : listing.sources) names.push_back(source.relative);
        return names;
    }
    ScratchFolder folder_;
};

using Names = std::vector<std::string>;

TEST_F(List, images_below_a_folder_in_the_order_of_their_paths) {
    for (const auto* name : {"b/2.TIF", "b/1.jpeg", "a/deep/er/x.png", "a/x.png", "top.tiff",
                             "notes.doc", "b/table.csv", ".hidden.png", ".git/y.png"})
        add(name);
    const auto listing = list("");
    EXPECT_EQ(relative(listing),
              (Names{"a/deep/er/x.png", "a/x.png", "b/1.jpeg", "b/2.TIF", "top.tiff"}));
    EXPECT_EQ(listing.sources[0].folder_label, "a/deep/er");
    EXPECT_EQ(listing.sources[1].folder_label, "a");
    EXPECT_EQ(listing.sources[3].folder_label, "b");
    EXPECT_EQ(listing.sources[4].folder_label, "");
    EXPECT_EQ(listing.passed_over, 2);
    EXPECT_EQ(listing.sources[1].bytes, 1);
}

TEST_F(List, each_file_once_and_same_names_apart) {
    add("a/x.png");
    add("b/x.png");
    const auto root = folder_.path().string();
    const auto twice = image::list_sources({root, root, root + "/a/x.png"});
    EXPECT_EQ(twice.sources.size(), 2U);
}

TEST_F(List, links_are_followed_and_cycles_end) {
    add("a/x.png");
    add("elsewhere/y.png");
    link("..", "images/up");
    link(".", "images/self");
    link("../a", "images/a");
    link("../elsewhere/y.png", "images/linked.png");
    link("nowhere.png", "images/dangling.png");
    const auto listing = list("images");
    // "up" leads to the whole folder once, so a, elsewhere and images turn up below it at most
    // once.
    std::vector<std::string> files;
    for (const auto& source : listing.sources)
        files.push_back(fs::canonical(source.path).filename().string());
    EXPECT_EQ(std::count(files.begin(), files.end(), "x.png"), 1);
    EXPECT_GE(std::count(files.begin(), files.end(), "y.png"), 1);
    EXPECT_LE(listing.sources.size(), 4U);
    ASSERT_FALSE(listing.rejected.empty());
    EXPECT_NE(listing.rejected[0].path.find("dangling.png"), std::string::npos);
}

TEST_F(List, folder_without_permission_is_rejected_and_the_rest_read) {
    add("a/x.png");
    add("secret/y.png");
    ASSERT_EQ(::chmod(folder_.path().c_str(), 0755), 0);
    ASSERT_EQ(::chmod((folder_ / "secret").c_str(), 0), 0);
    const bool is_root = ::geteuid() == 0;  // whom no permission stops
    constexpr uid_t nobody = 65534;
    if (is_root) {
        ASSERT_EQ(::seteuid(nobody), 0);
    }
    const auto listing = list();
    if (is_root) {
        ASSERT_EQ(::seteuid(0), 0);
    }
    ::chmod((folder_ / "secret").c_str(), 0700);
    EXPECT_EQ(relative(listing), Names{"a/x.png"});
    ASSERT_EQ(listing.rejected.size(), 1U);
    EXPECT_NE(listing.rejected[0].cause.find("cannot be opened"), std::string::npos);
}

TEST_F(List, sidecars_are_found) {
    for (const auto* name :
         {"a.jpg", "a.jpg.txt", "b.tif", "b.hdr", "c.png", "c-png.hdr", "d.png", "e.tif", "e.txt"})
        add(name);
    const auto listing = list();
    Names sidecars;
    for (const auto& source : listing.sources)
        sidecars.push_back(fs::path(source.sidecar).filename().string());
    EXPECT_EQ(sidecars, (Names{"a.jpg.txt", "b.hdr", "c-png.hdr", "", "e.txt"}));
    EXPECT_EQ(fs::path(image::list_sources({folder_ / "a.jpg"}).sources[0].sidecar).filename(),
              "a.jpg.txt");
}

TEST_F(List, a_list_names_files_relative_to_itself) {
    add("a/x.png");
    add("b/y.png");
    add("list.txt", "# mine\nb/y.png\r\na/x.png\n\nmissing.png\n");
    const auto listing = image::list_sources({folder_ / "list.txt"});
    EXPECT_EQ(relative(listing), (Names{"a/x.png", "b/y.png"}));
    EXPECT_EQ(listing.sources[1].folder_label, "b");
    ASSERT_EQ(listing.rejected.size(), 1U);
    EXPECT_NE(listing.rejected[0].cause.find("missing"), std::string::npos);
}

TEST_F(List, idx_pair_gives_an_image_each) {
    write_file(folder_ / "train-images-idx3-ubyte.gz", gzip(make_idx_images(12, 28, 28)));
    write_file(folder_ / "train-labels-idx1-ubyte.gz", gzip(make_idx_labels(12)));
    write_file(folder_ / "t10k-images-idx3-ubyte", make_idx_images(3, 28, 28));
    write_file(folder_ / "broken-images-idx3-ubyte", "broken");
    const auto listing = list();
    ASSERT_EQ(listing.sources.size(), 15U);
    EXPECT_EQ(listing.sources[0].relative, "t10k-images-idx3-ubyte#0");
    EXPECT_TRUE(listing.sources[0].in_test_set);
    EXPECT_EQ(listing.sources[0].folder_label, "");
    EXPECT_EQ(listing.sources[14].relative, "train-images-idx3-ubyte.gz#11");
    EXPECT_EQ(listing.sources[14].folder_label, "1");
    EXPECT_EQ(listing.sources[14].idx, 11);
    EXPECT_EQ(listing.sources[14].file(), folder_ / "train-images-idx3-ubyte.gz");
    EXPECT_EQ(listing.sources[5].relative, "train-images-idx3-ubyte.gz#02");
    ASSERT_EQ(listing.rejected.size(), 1U);
}

TEST_F(List, what_does_not_exist_is_an_error) {
    EXPECT_THROW(list("absent"), InputError);
    EXPECT_TRUE(list().sources.empty());
}

}  // namespace
}  // namespace nanoatlas::testing
