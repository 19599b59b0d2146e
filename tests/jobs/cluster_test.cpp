// nanoatlas cluster as a user runs it: what it writes, and how it treats awkward matrices.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <fstream>

#include "store/artefact.hpp"
#include "store/npy.hpp"
#include "tests/jobs/cluster_job.hpp"

namespace nanoatlas::testing {
namespace {

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

TEST_F(ClusterJob, a_map_to_look_at_is_told_from_an_embedding) {
    const auto input = write_clouds("clouds.csv", 120);
    const auto reduce = [&](const std::string& how, const std::string& output) {
        const auto result =
            run_nanoatlas("reduce --input " + input + " --output " + path(output) + " " + how);
        ASSERT_EQ(result.status, 0) << result.output;
    };
    reduce("--method tsne --iterations 50", "map.h5");
    reduce("--components 2", "embedding.h5");
    const auto is_warned_of = [&](const std::string& matrix, int ranks) {
        const auto result = cluster(path(matrix), "c.h5", "", ranks);
        EXPECT_EQ(result.status, 0) << result.output;
        return result.output.find("warning: '" + path(matrix) + "' is a t-SNE map") !=
               std::string::npos;
    };
    for (const int ranks : {1, 3}) {
        EXPECT_TRUE(is_warned_of("map.h5", ranks));
        EXPECT_TRUE(is_warned_of("map.h5:/embedding", ranks));
        EXPECT_FALSE(is_warned_of("embedding.h5", ranks));
    }
}

TEST_F(ClusterJob, kmeans_writes_its_datasets_the_same_on_any_number_of_ranks) {
    const auto input = write_clouds("clouds.csv", 300);
    for (const int ranks : {1, 3}) {
        const auto result =
            cluster(input, fmt::format("{}.h5", ranks), "--method kmeans --k 2", ranks);
        ASSERT_EQ(result.status, 0) << result.output;
        EXPECT_NE(result.output.find("sizes: 150 150"), std::string::npos) << result.output;
    }
    const store::ArtefactReader one(path("1.h5"), "clusters"), three(path("3.h5"), "clusters");
    EXPECT_EQ(one.text("method"), "kmeans");
    EXPECT_EQ(one.read<std::int32_t>("label"), three.read<std::int32_t>("label"));
    EXPECT_EQ(one.read<double>("distance"), three.read<double>("distance"));
    EXPECT_EQ(one.read<double>("centroid"), three.read<double>("centroid"));
    EXPECT_EQ(one.shape("centroid"), (store::Shape{2, 2}));
    EXPECT_EQ(one.read<std::int64_t>("size"), (std::vector<std::int64_t>{150, 150}));
    EXPECT_EQ(one.number("inertia"), three.number("inertia"));
    EXPECT_GT(one.number("iterations"), 0);
}

TEST_F(ClusterJob, kmeans_starts_from_given_centres) {
    const auto input = write_clouds("clouds.csv", 300);
    std::ofstream(path("start.csv")) << "12,0\n0,0\n";
    const auto result = cluster(input, "c.npy", "--method kmeans --start " + path("start.csv"));
    ASSERT_EQ(result.status, 0) << result.output;
    const auto labels = store::read_npy<std::int64_t>(path("c.npy")).values;
    for (std::size_t i = 0; i < labels.size(); ++i)
        EXPECT_EQ(labels[i], 1 - static_cast<std::int64_t>(i % 2));
    for (const std::string& more :
         {"--k 3 --start " + path("start.csv"), "--start " + input + " --iterations 0",
          std::string("--k 0"), std::string("--k 301"), std::string("--k 2 --restarts 0")})
        EXPECT_EQ(cluster(input, "c.h5", "--method kmeans " + more).status, 2) << more;
}

TEST_F(ClusterJob, dp_writes_its_datasets) {
    const auto input = write_clouds("clouds.csv", 300);
    const auto result = cluster(input, "c.h5", "--method dp", 2);
    ASSERT_EQ(result.status, 0) << result.output;
    EXPECT_NE(result.output.find("sizes: 150 150"), std::string::npos) << result.output;
    const store::ArtefactReader file(path("c.h5"), "clusters");
    EXPECT_GT(file.number("cutoff"), 0);
    EXPECT_EQ(file.text("kernel"), "gaussian");
    for (const char* name : {"density", "delta", "parent", "halo"})
        EXPECT_EQ(file.shape(name), (store::Shape{300})) << name;
    EXPECT_EQ(file.shape("centres"), (store::Shape{2}));
    ASSERT_EQ(cluster(input, "c.h5", "--method dp --cutoff 1.5 --kernel count --k 3").status, 0);
    EXPECT_EQ(store::ArtefactReader(path("c.h5")).number("cutoff"), 1.5);
    for (const auto* more : {"--cutoff 0", "--cutoff near", "--k 301", "--k -1"})
        EXPECT_EQ(cluster(input, "d.h5", std::string("--method dp ") + more).status, 2) << more;
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
