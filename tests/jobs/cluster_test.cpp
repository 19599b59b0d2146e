// nanoatlas cluster as a user runs it: what it writes, and how it treats awkward matrices.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "base/random.hpp"
#include "store/artefact.hpp"
#include "store/npy.hpp"
#include "tests/command.hpp"

namespace nanoatlas::testing {
namespace {

class ClusterJob : public ::testing::Test {
  protected:
    std::string path(const std::string& name) const { return folder_ / name; }

    // Two clouds in the plane, taken turn by turn.
    std::string write_clouds(const std::string& name, std::int64_t rows) const {
        std::ofstream file(path(name));
        for (std::int64_t i = 0; i < rows; ++i) {
            base::Random random(61, i);
            file << 12.0 * static_cast<double>(i % 2) + random.normal() << ',' << random.normal()
                 << '\n';
        }
        return path(name);
    }

    CommandResult cluster(const std::string& input, const std::string& output,
                          const std::string& more = "", int ranks = 1) const {
        return run_nanoatlas(
            "cluster --Z 2.5 --input " + input + " --output " + path(output) + " " + more, ranks);
    }

    ScratchFolder folder_;
};

TEST_F(ClusterJob, writes_all_that_the_interface_lists) {
    const auto result = cluster(write_clouds("clouds.csv", 400), "c.h5", "--dimension 2");
    ASSERT_EQ(result.status, 0) << result.output;
    EXPECT_NE(result.output.find("2 clusters of 400 rows"), std::string::npos) << result.output;
    EXPECT_NE(result.output.find("sizes: 200 200"), std::string::npos) << result.output;
    const store::ArtefactReader file(path("c.h5"), "clusters");
    EXPECT_EQ(file.number("intrinsic_dimension"), 2);
    const auto labels = file.read<std::int32_t>("label");
    ASSERT_EQ(labels.size(), 400U);
    for (std::size_t i = 2; i < labels.size(); ++i) EXPECT_EQ(labels[i], labels[i % 2]);
    for (const char* name : {"log_density", "log_density_error", "kstar", "halo"})
        EXPECT_EQ(file.shape(name), (store::Shape{400})) << name;
    EXPECT_EQ(file.shape("centres"), (store::Shape{2}));
    EXPECT_EQ(file.shape("saddle_density"), (store::Shape{2, 2}));
    EXPECT_EQ(file.shape("saddle_error"), (store::Shape{2, 2}));
    const auto halo = file.read<std::uint8_t>("halo");
    EXPECT_EQ(std::count(halo.begin(), halo.end(), 1) + std::count(halo.begin(), halo.end(), 0),
              400);
}

TEST_F(ClusterJob, writes_labels_as_a_table_the_same_on_any_number_of_ranks) {
    const auto input = write_clouds("clouds.csv", 300);
    ASSERT_EQ(cluster(input, "one.npy").status, 0);
    ASSERT_EQ(cluster(input, "three.npy", "", 3).status, 0);
    EXPECT_EQ(run_command("cmp " + path("one.npy") + " " + path("three.npy")).status, 0);
    const auto labels = store::read_npy<std::int64_t>(path("one.npy"));
    EXPECT_EQ(labels.values.size(), 300U);
}

TEST_F(ClusterJob, rows_that_repeat_count_once_and_share_the_label) {
    const auto input = write_clouds("clouds.csv", 300);
    ASSERT_EQ(cluster(input, "plain.h5").status, 0);
    ASSERT_EQ(run_command("cat " + input + " " + input + " > " + path("twice.csv")).status, 0);
    for (const int ranks : {1, 3}) {
        const auto result = cluster(path("twice.csv"), "twice.h5", "", ranks);
        ASSERT_EQ(result.status, 0) << result.output;
        EXPECT_NE(result.output.find("300 of 600 rows repeat"), std::string::npos) << result.output;
        const store::ArtefactReader plain(path("plain.h5")), twice(path("twice.h5"));
        auto expected = plain.read<std::int32_t>("label");
        const auto once = expected;
        expected.insert(expected.end(), once.begin(), once.end());
        EXPECT_EQ(twice.read<std::int32_t>("label"), expected);
        EXPECT_EQ(twice.read<std::int64_t>("centres"), plain.read<std::int64_t>("centres"));
    }
}

TEST_F(ClusterJob, scans_significances_and_tells_their_stability) {
    const auto input = write_clouds("clouds.csv", 200);
    ASSERT_EQ(run_command("cat " + input + " " + input + " > " + path("twice.csv")).status, 0);
    const auto result =
        cluster(path("twice.csv"), "s.h5", "--Z-scan 2.5,0.5,2.5 --stability 2 --maxk 40", 2);
    ASSERT_EQ(result.status, 0) << result.output;
    EXPECT_NE(result.output.find("Z 2.5: 2 clusters; of 2 subsamples: ARI 1.000, AMI 1.000"),
              std::string::npos)
        << result.output;
    const store::ArtefactReader file(path("s.h5"), "clusters");
    EXPECT_EQ(file.read<double>("scan/Z"), (std::vector<double>{0.5, 2.5}));
    EXPECT_EQ(file.shape("scan/label"), (store::Shape{400, 2}));
    EXPECT_EQ(file.shape("scan/ari"), (store::Shape{2, 2}));
    EXPECT_EQ(file.shape("scan/subsample_clusters"), (store::Shape{2, 2}));
    const auto labels = file.read<std::int32_t>("label");
    const auto scanned = file.read<std::int32_t>("scan/label");
    for (std::size_t i = 0; i < labels.size(); ++i) {
        EXPECT_EQ(scanned[2 * i + 1], labels[i]);
        EXPECT_EQ(scanned[2 * i], scanned[(2 * i + 400) % 800]);
    }
    // Every row leads up to a peak, and all peaks of its cluster hang together below Z.
    const auto peak = file.read<std::int32_t>("merge_tree/label");
    const auto centres = file.read<std::int64_t>("merge_tree/centres");
    for (std::size_t i = 0; i < labels.size(); ++i)
        EXPECT_EQ(labels[static_cast<std::size_t>(centres[static_cast<std::size_t>(peak[i])])],
                  labels[i]);
    std::int64_t below = 0;
    for (const double significance : file.read<double>("merge_tree/Z"))
        below += significance < 2.5 ? 1 : 0;
    EXPECT_EQ(below, std::ssize(centres) - 2);
}

TEST_F(ClusterJob, maxk_beyond_the_rows_is_cut_with_a_word) {
    const auto result = cluster(write_clouds("few.csv", 30), "c.h5", "--maxk 500");
    ASSERT_EQ(result.status, 0) << result.output;
    EXPECT_NE(result.output.find("29 is used"), std::string::npos) << result.output;
}

TEST_F(ClusterJob, refuses_options_out_of_range) {
    const auto input = write_clouds("clouds.csv", 30);
    for (const auto* more : {"--maxk 1", "--dimension zero", "--dimension -3", "--Z -1",
                             "--Z-scan 1,x", "--Z-scan -1", "--stability -1"}) {
        const auto result = cluster(input, "c.h5", more);
        EXPECT_EQ(result.status, 2) << more << "\n" << result.output;
    }
}

}  // namespace
}  // namespace nanoatlas::testing
