// nanoatlas cluster --method hdbscan as a user runs it.
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

TEST_F(HdbscanJob, says_what_is_wrong) {
    write_clouds(20);
    for (const auto& [options, words] :
         {std::pair{"--min-cluster-size 21", "the matrix has 20 rows and --min-cluster-size is 21"},
          {"--min-cluster-size 1", "--min-cluster-size is 1 (a single row is no cluster)"},
          {"--min-samples -2", "--min-samples is -2"},
          {"--alpha 0", "--alpha is 0"},
          {"--epsilon -1", "--epsilon is -1"},
          {"--max-cluster-size -1", "--max-cluster-size is -1"}}) {
        const auto result = cluster(std::string(options) + " --output " + path("c.h5"), 2);
        EXPECT_EQ(result.status, 2) << options;
        EXPECT_NE(result.output.find(words), std::string::npos) << result.output;
    }
}

}  // namespace
}  // namespace nanoatlas::testing
