// The whole way, as a user walks it: drawn micrographs to an atlas, on one rank and on two.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/command.hpp"

namespace nanoatlas::testing {
namespace {

namespace fs = std::filesystem;

class WholeWay : public ::testing::Test {
  protected:
    /// A configuration whose artefacts go into a folder of the given name.
    std::string configuration(const std::string& name) const {
        const auto path = folder_ / (name + ".cfg");
        std::ofstream(path)
            << "[run]\nfolder = " << folder_ / name << "\n"
            << "[synth]\ncount = 120\nsize = 128\nseed = 5\ndamaged = 4\n"
            << "output = " << folder_ / "images"
            << "\n"
            << "[ingest]\nsize = 64\nimages = " << folder_ / "images"
            << "\n"
            << "[train]\narch = squeezenet1_1\nepochs = 1\nsize = 64\nbatch = 16\n"
            << "precision = f32\n[evaluate]\n"
            << "[reduce]\ncomponents = 10\n[dimension]\n[cluster]\nmaxk = 20\n[score]\n[report]\n";
        return path;
    }
    CommandResult run(const std::string& name, int ranks, const std::string& options = "") const {
        return run_nanoatlas("run --config " + configuration(name) + " " + options, ranks);
    }
    /// What a Python program that reads two artefacts with h5py prints; it gets their paths.
    CommandResult python(const std::string& program, const std::string& a,
                         const std::string& b) const {
        std::ofstream(folder_ / "program.py")
            << "import sys, h5py, numpy\n"
            << "a, b = [h5py.File(p, 'r') for p in sys.argv[1:3]]\n"
            << program;
        return run_command("/usr/bin/python3 " + folder_ / "program.py" + " " + folder_ / a + " " +
                           folder_ / b);
    }
    ScratchFolder folder_;
};

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
    return found;
}

TEST_F(WholeWay, from_drawn_images_to_an_atlas_alike_on_one_and_two_ranks) {
    const auto one = run("one", 1);
    ASSERT_EQ(one.status, 0) << one.output;
    const auto two = run("two", 2);
    ASSERT_EQ(two.status, 0) << two.output;
    for (const char* folder : {"one", "two"})
        for (const char* file :
             {"corpus.h5", "model.h5", "metrics.json", "features.h5", "embedding.h5",
              "neighbours.h5", "dimension.json", "dimension.svg", "map.h5", "clusters.h5",
              "scores.json", "atlas/index.html", "atlas/pictures/dimension.svg"})
            EXPECT_TRUE(fs::exists(folder_.path() / folder / file)) << folder << "/" << file;
    EXPECT_NE(one.output.find("accuracy"), std::string::npos) << one.output;

    const auto again = run("two", 2);
    EXPECT_EQ(again.status, 0) << again.output;
    EXPECT_EQ(count(again.output, "up to date"), 12u) << again.output;
    const auto changed = run("two", 1, "--from cluster --force on");
    EXPECT_EQ(changed.status, 0) << changed.output;
    EXPECT_EQ(count(changed.output, "up to date"), 0u) << changed.output;

    if (run_command("/usr/bin/python3 -c 'import h5py'").status != 0)
        GTEST_SKIP() << "skipped: python3-h5py is absent, so equal artefacts are not compared";
    const auto corpora = python(
        "for name in ('images', 'label', 'path', 'group', 'part', 'checksum', 'duplicate_of'):\n"
        "    assert (a[name][...] == b[name][...]).all(), name\n"
        "assert len(a['rejects/path']) == 4, len(a['rejects/path'])\n"
        "assert a.attrs['complete'] == 1 and b'squeezenet' not in a.attrs['provenance']\n",
        "one/corpus.h5", "two/corpus.h5");
    EXPECT_EQ(corpora.status, 0) << corpora.output;
    const auto clusters = python(
        "assert (a['label'][...] == b['label'][...]).all()\n"
        "assert numpy.allclose(a['log_density'][...], b['log_density'][...], rtol=1e-4)\n",
        "one/clusters.h5", "two/clusters.h5");
    EXPECT_EQ(clusters.status, 0) << clusters.output;
    const auto features = python(
        "assert a['features'].shape == (len(a['features']), 1280), a['features'].shape\n"
        "x, y = a['features'][...], b['features'][...]\n"
        "assert numpy.abs(x - y).max() <= 1e-4 * numpy.abs(x).max()\n",
        "one/features.h5", "two/features.h5");
    EXPECT_EQ(features.status, 0) << features.output;
    EXPECT_EQ(run_command("h5dump -H " + folder_ / "one/clusters.h5").status, 0);
}

TEST_F(WholeWay, training_goes_on_from_its_checkpoint_if_asked_to) {
    ASSERT_EQ(run("one", 1, "--to train").status, 0);
    fs::remove(folder_.path() / "one" / "model.h5");  // as if it had been stopped before
    const auto resumed = run("one", 1, "--to train --resume");
    EXPECT_EQ(resumed.status, 0) << resumed.output;
    EXPECT_EQ(count(resumed.output, "going on from epoch"), 1u) << resumed.output;
    const auto again = run("one", 1, "--to train");
    EXPECT_EQ(count(again.output, "up to date"), 3u) << again.output;
}

TEST_F(WholeWay, info_describes_every_artefact) {
    ASSERT_EQ(run("one", 2).status, 0);
    for (const char* file :
         {"corpus.h5", "model.h5", "features.h5", "embedding.h5", "clusters.h5"}) {
        const auto info = run_nanoatlas("info " + folder_ / (std::string("one/") + file));
        EXPECT_EQ(info.status, 0) << info.output;
        EXPECT_NE(info.output.find("whole      yes"), std::string::npos) << info.output;
        EXPECT_NE(info.output.find("ranks      2"), std::string::npos) << info.output;
    }
}

}  // namespace
}  // namespace nanoatlas::testing
