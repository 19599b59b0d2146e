// nanoatlas ingest at the command line: what a user does, and what a user gets wrong.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "store/corpus.hpp"
#include "tests/command.hpp"
#include "tests/image/crafted.hpp"

namespace nanoatlas::testing {
namespace {

namespace fs = std::filesystem;

class IngestJob : public ::testing::Test {
  protected:
    IngestJob() {
        for (const auto* folder : {"images/a", "images/b", "empty", "broken"})
            fs::create_directories(folder_.path() / folder);
        for (int i = 0; i < 10; ++i) {
            const auto name = "same_" + std::to_string(i);
            const auto shifted = [i](int x, int y, int) {
                return hill(7 * i + x, 5 * i + y * (1 + i % 3), 0);
            };
            write_file(folder_ / ("images/a/" + name + ".png"),
                       make_png({.width = 90, .height = 70}, shifted));
            write_file(folder_ / ("images/b/" + name + ".tif"),
                       make_tiff({.width = 90, .height = 70, .bits = 16}, shifted));
        }
        write_file(folder_ / "images/a/damaged.jpg", "no image at all");
        write_file(folder_ / "broken/one.png", "no image");
        write_file(folder_ / "broken/two.png", "");
    }
    CommandResult ingest(const std::string& options, int ranks = 1) const {
        return run_nanoatlas("ingest " + options, ranks);
    }
    std::string images() const { return "--images " + (folder_ / "images"); }
    std::string to(const std::string& name) const { return " --output " + (folder_ / name); }
    /// Expects exit status 2 and the words.
    void expect_refused(const std::string& options, const std::string& words, int ranks = 1) const {
        const auto result = ingest(options, ranks);
        EXPECT_EQ(result.status, 2) << result.output;
        EXPECT_NE(result.output.find(words), std::string::npos) << result.output;
    }
    ScratchFolder folder_;
};

TEST_F(IngestJob, the_same_corpus_on_one_and_three_ranks_and_a_summary) {
    const auto one = ingest(images() + to("one.h5") + " --size 64 --fit squash");
    ASSERT_EQ(one.status, 0) << one.output;
    EXPECT_NE(one.output.find("20 images of 2 classes, 64 x 64"), std::string::npos) << one.output;
    EXPECT_NE(one.output.find("10 duplicates, 1 rejected"), std::string::npos) << one.output;
    EXPECT_NE(one.output.find("damaged.jpg is text"), std::string::npos) << one.output;
    const auto three = ingest(images() + to("three.h5") + " --size 64 --fit squash", 3);
    ASSERT_EQ(three.status, 0) << three.output;
    const store::CorpusReader a(folder_ / "one.h5"), b(folder_ / "three.h5");
    EXPECT_EQ(a.checksums(), b.checksums());
    EXPECT_EQ(a.paths(), b.paths());
    EXPECT_EQ(a.parts(), b.parts());
    EXPECT_EQ(a.read_images(0, 20), b.read_images(0, 20));
}

TEST_F(IngestJob, read_only_output_missing_folder_and_wrong_options) {
    expect_refused(images() + to("absent/x.h5"), "there is no folder", 3);
    expect_refused(images() + to("x.h5") + " --size 4", "--size 4");
    expect_refused(images() + to("x.h5") + " --size 100000", "--size 100000");
    expect_refused(images() + to("x.h5") + " --bar maybe", "--bar 'maybe'");
    expect_refused(images() + to("x.h5") + " --fit stretch", "--fit");
    expect_refused(images() + to("x.h5") + " --parts halves", "--parts 'halves'");
    expect_refused(images() + to("x.h5") + " --labels csv:absent.csv", "absent.csv");
    EXPECT_FALSE(fs::exists(folder_ / "x.h5"));
}

TEST_F(IngestJob, no_image_and_no_usable_image) {
    expect_refused("--images " + (folder_ / "absent") + to("x.h5"), "cannot read images from");
    expect_refused("--images " + (folder_ / "empty") + to("x.h5"),
                   "holds no TIFF, JPEG, PNG or IDX image");
    expect_refused("--images " + (folder_ / "broken") + to("x.h5"), "none of 2 images can be used",
                   3);
    EXPECT_FALSE(fs::exists(folder_ / "x.h5"));
    EXPECT_FALSE(fs::exists(folder_ / "x.h5.partial"));
}

TEST_F(IngestJob, more_ranks_than_images) {
    const auto result = ingest("--images " + (folder_ / "images/a/same_1.png") + to("x.h5"), 4);
    ASSERT_EQ(result.status, 0) << result.output;
    EXPECT_EQ(store::CorpusReader(folder_ / "x.h5").rows(), 1);
}

TEST_F(IngestJob, python_reads_it) {
    if (run_command("/usr/bin/python3 -c 'import h5py'").status != 0)
        GTEST_SKIP() << "skipped: no h5py";
    ASSERT_EQ(ingest(images() + to("x.h5")).status, 0);
    std::ofstream(folder_ / "read.py")
        << "import h5py, json, sys\n"
           "f = h5py.File(sys.argv[1])\n"
           "assert f.attrs['format'] in (b'corpus', 'corpus') and f.attrs['complete']\n"
           "assert f['images'].shape == (20, 256, 256) and f['images'].dtype == 'u1'\n"
           "assert f['scale'].shape == (20, 2) and f['checksum'].dtype == 'u8'\n"
           "assert [c.decode() for c in f['classes'][()]] == ['a', 'b']\n"
           "assert f['rejects/path'].shape == f['rejects/cause'].shape == (1,)\n"
           "assert all(json.loads(m)['width'] == 90 for m in f['metadata'][()])\n"
           "assert json.loads(f.attrs['provenance'])['job'] == 'ingest'\n"
           "print('all as promised')\n";
    const auto result =
        run_command("/usr/bin/python3 " + (folder_ / "read.py") + " " + (folder_ / "x.h5"));
    EXPECT_NE(result.output.find("all as promised"), std::string::npos) << result.output;
}

}  // namespace
}  // namespace nanoatlas::testing
