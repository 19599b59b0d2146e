// nanoatlas cluster --method hdbscan as a user runs it.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <numeric>

#include "base/random.hpp"
#include "store/artefact.hpp"
#include "tests/command.hpp"

namespace nanoatlas::testing {
namespace {

class HdbscanJob : public ::testing::Test {
  protected:
    std::string path(const std::string& name) const { return folder_ / name; }

    // Two clouds in the plane, taken turn by turn, and a row far off.
    std::string write_clouds(std::int64_t rows) const {
        std::ofstream file(path("clouds.csv"));
        for (std::int64_t i = 0; i + 1 < rows; ++i) {
            base::Random random(62, i);
            file << 12.0 * static_cast<double>(i % 2) + random.normal() << ',' << random.normal()
                 << '\n';
        }
        file << "400,400\n";
        return path("clouds.csv");
    }

    CommandResult cluster(const std::string& more, int ranks = 1) const {
        return run_nanoatlas("cluster --method hdbscan --input " + path("clouds.csv") + " " + more,
                             ranks);
    }

    ScratchFolder folder_;
};

TEST_F(HdbscanJob, writes_all_that_the_interface_lists) {
    write_clouds(301);
    const auto result =
        cluster("--min-cluster-size 25 --min-samples 10 --output " + path("c.h5"), 2);
    ASSERT_EQ(result.status, 0) << result.output;
    EXPECT_NE(result.output.find("2 clusters of 301 rows"), std::string::npos) << result.output;
    const store::ArtefactReader file(path("c.h5"), "clusters");
    EXPECT_EQ(file.text("method"), "hdbscan");
    const auto label = file.read<std::int32_t>("label");
    ASSERT_EQ(label.size(), 301U);
    EXPECT_EQ(label[300], -1);
    const auto probability = file.read<double>("probability");
    const auto score = file.read<double>("outlier_score");
    for (std::size_t i = 0; i < 300; ++i) {
        EXPECT_EQ(probability[i] > 0, label[i] >= 0);
        EXPECT_TRUE(score[i] >= 0 && score[i] <= 1);
        if (label[i] >= 0) {
            EXPECT_EQ(label[i] == label[0], i % 2 == 0) << i;
        }
    }
    EXPECT_GT(score[300], 0.9);
    EXPECT_EQ(file.shape("persistence"), (store::Shape{2}));
    EXPECT_EQ(file.read<std::int64_t>("selected"), (std::vector<std::int64_t>{302, 303}));

    // Each row falls out of one cluster, and each cluster but the root leaves another.
    auto child = file.read<std::int64_t>("condensed_tree/child");
    std::sort(child.begin(), child.end());
    std::vector<std::int64_t> all(child.size() + 1);
    std::iota(all.begin(), all.end(), 0);
    all.erase(all.begin() + 301);
    EXPECT_EQ(child, all);
    for (const char* name : {"parent", "lambda", "size"})
        EXPECT_EQ(file.rows(std::string("condensed_tree/") + name), std::ssize(child)) << name;
    const auto distance = file.read<double>("minimum_spanning_tree/distance");
    EXPECT_EQ(distance.size(), 300U);
    EXPECT_TRUE(std::is_sorted(distance.begin(), distance.end()));
    EXPECT_EQ(file.rows("minimum_spanning_tree/from"), 300);
    EXPECT_EQ(file.rows("minimum_spanning_tree/to"), 300);
}

TEST_F(HdbscanJob, takes_its_options) {
    write_clouds(201);
    EXPECT_NE(cluster("--min-cluster-size 5 --selection leaf --output " + path("leaf.csv"))
                  .output.find("clusters of 201 rows"),
              std::string::npos);
    const auto single = cluster(
        "--min-cluster-size 150 --allow-single-cluster --epsilon 20 "
        "--output " +
        path("one.csv"));
    EXPECT_NE(single.output.find("1 clusters of 201 rows"), std::string::npos) << single.output;
}

TEST_F(HdbscanJob, takes_lists_of_the_job_neighbours) {
    const auto input = write_clouds(201);
    ASSERT_EQ(
        run_nanoatlas("neighbours --k 12 --input " + input + " --output " + path("n.h5"), 2).status,
        0);
    ASSERT_EQ(cluster("--min-cluster-size 9 --output " + path("found.h5")).status, 0);
    const store::ArtefactReader found(path("found.h5"), "clusters");
    for (const int ranks : {1, 3}) {
        const auto result = cluster(
            "--min-cluster-size 9 --neighbours " + path("n.h5") + " --output " + path("listed.h5"),
            ranks);
        ASSERT_EQ(result.status, 0) << result.output;
        const store::ArtefactReader listed(path("listed.h5"), "clusters");
        for (const char* name : {"minimum_spanning_tree/distance", "probability", "outlier_score"})
            EXPECT_EQ(listed.read<double>(name), found.read<double>(name)) << name;
        for (const char* name : {"minimum_spanning_tree/from", "minimum_spanning_tree/to", "label"})
            EXPECT_EQ(listed.read<std::int64_t>(name), found.read<std::int64_t>(name)) << name;
        EXPECT_NE(listed.provenance().find("n.h5"), std::string::npos);
    }
    const auto refused = cluster("--min-cluster-size 13 --neighbours " + path("n.h5") +
                                 " --output " + path("listed.h5"));
    EXPECT_EQ(refused.status, 2);
    EXPECT_NE(refused.output.find("run neighbours --k 13"), std::string::npos) << refused.output;
    write_clouds(200);
    const auto other =
        cluster("--neighbours " + path("n.h5") + " --output " + path("listed.h5"), 2);
    EXPECT_EQ(other.status, 2);
    EXPECT_NE(other.output.find("another matrix"), std::string::npos) << other.output;
}

TEST_F(HdbscanJob, scans_least_sizes_and_tells_their_stability) {
    write_clouds(201);
    const std::string scan = "--min-cluster-size 20 --min-cluster-size-scan 40,10,20,10 ";
    const auto result = cluster(scan + "--stability 2 --output " + path("s.h5"), 2);
    ASSERT_EQ(result.status, 0) << result.output;
    EXPECT_NE(result.output.find("least size 20: "), std::string::npos) << result.output;
    EXPECT_NE(result.output.find("of 2 subsamples: ARI"), std::string::npos) << result.output;
    const store::ArtefactReader file(path("s.h5"), "clusters");
    const auto sizes = file.read<std::int64_t>("scan/min_cluster_size");
    EXPECT_EQ(sizes, (std::vector<std::int64_t>{10, 20, 40}));
    EXPECT_EQ(file.shape("scan/label"), (store::Shape{201, 3}));
    for (const char* name : {"clusters", "noise", "persistence", "validity"})
        EXPECT_EQ(file.shape(std::string("scan/") + name), (store::Shape{3})) << name;
    for (const char* name : {"ari", "ami", "subsample_clusters"})
        EXPECT_EQ(file.shape(std::string("scan/") + name), (store::Shape{3, 2})) << name;
    // Each as a run of its own; nor does the scan change what the run is about.
    const auto scanned = file.read<std::int32_t>("scan/label");
    for (std::size_t s = 0; s < sizes.size(); ++s) {
        ASSERT_EQ(cluster(fmt::format("--min-cluster-size {} --output {}", sizes[s], path("a.h5")))
                      .status,
                  0);
        const auto alone = store::ArtefactReader(path("a.h5")).read<std::int32_t>("label");
        for (std::size_t i = 0; i < alone.size(); ++i)
            ASSERT_EQ(scanned[3 * i + s], alone[i]) << sizes[s] << ", row " << i;
        if (sizes[s] == 20) {
            EXPECT_EQ(file.read<std::int32_t>("label"), alone);
        }
    }
    // Lists of a file serve all of them, and the ranks don't show.
    ASSERT_EQ(run_nanoatlas("neighbours --k 40 --input " + path("clouds.csv") + " --output " +
                            path("n.h5"))
                  .status,
              0);
    ASSERT_EQ(
        cluster(scan + "--neighbours " + path("n.h5") + " --stability 2 --output " + path("b.h5"),
                3)
            .status,
        0);
    const store::ArtefactReader listed(path("b.h5"), "clusters");
    EXPECT_EQ(listed.read<std::int32_t>("scan/label"), scanned);
    EXPECT_EQ(listed.read<double>("scan/ari"), file.read<double>("scan/ari"));
    EXPECT_EQ(listed.read<double>("scan/validity"), file.read<double>("scan/validity"));
}

TEST_F(HdbscanJob, more_ranks_than_rows_scan_alike) {
    write_clouds(6);
    for (const int ranks : {1, 8})
        ASSERT_EQ(cluster(fmt::format("--min-cluster-size 2 --min-cluster-size-scan 2,3 "
                                      "--stability 2 --output {}/{}.h5",
                                      folder_.path().string(), ranks),
                          ranks)
                      .status,
                  0);
    const store::ArtefactReader one(path("1.h5")), eight(path("8.h5"));
    EXPECT_EQ(one.read<std::int32_t>("scan/label"), eight.read<std::int32_t>("scan/label"));
    EXPECT_EQ(one.read<double>("scan/ari"), eight.read<double>("scan/ari"));
    EXPECT_EQ(one.read<double>("scan/validity"), eight.read<double>("scan/validity"));
}

TEST_F(HdbscanJob, says_what_is_wrong) {
    write_clouds(20);
    for (const auto& [options, words] :
         {std::pair{"--min-cluster-size 21", "the matrix has 20 rows and --min-cluster-size is 21"},
          {"--min-cluster-size 1", "--min-cluster-size is 1 (a single row is no cluster)"},
          {"--min-samples -2", "--min-samples is -2"},
          {"--alpha 0", "--alpha is 0"},
          {"--epsilon -1", "--epsilon is -1"},
          {"--min-cluster-size-scan 5,x", "--min-cluster-size-scan has 'x' in '5,x'"},
          {"--min-cluster-size-scan 5,2.5", "has '2.5'"},
          {"--min-cluster-size-scan 1", "has '1'"},
          {"--min-cluster-size-scan 5,21", "--min-cluster-size-scan names 21"},
          {"--stability -1", "--stability is -1"},
          {"--max-cluster-size -1", "--max-cluster-size is -1"}}) {
        const auto result = cluster(std::string(options) + " --output " + path("c.h5"), 2);
        EXPECT_EQ(result.status, 2) << options;
        EXPECT_NE(result.output.find(words), std::string::npos) << result.output;
    }
}

}  // namespace
}  // namespace nanoatlas::testing
