// nanoatlas assign as a user runs it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "base/random.hpp"
#include "store/artefact.hpp"
#include "tests/jobs/cluster_job.hpp"

namespace nanoatlas::testing {
namespace {

TEST_F(ClusterJob, assign_puts_new_rows_into_clusters) {
    const auto input = write_clouds("clouds.csv", 300), fresh = write_clouds("fresh.csv", 40);
    const auto assign = [&](const std::string& more, int ranks = 1) {
        return run_nanoatlas("assign --clusters " + path("c.h5") + " --input " + fresh +
                                 " --output " + path("l.h5") + " " + more,
                             ranks);
    };
    for (const std::string& method : {std::string("adp"), std::string("kmeans --k 2")}) {
        ASSERT_EQ(cluster(input, "c.h5", "--method " + method).status, 0);
        const auto result = assign("--matrix " + input, 2);
        ASSERT_EQ(result.status, 0) << result.output;
        EXPECT_NE(result.output.find("sizes: 20 20"), std::string::npos) << result.output;
        const store::ArtefactReader labels(path("l.h5"), "labels");
        auto expected = store::ArtefactReader(path("c.h5")).read<std::int32_t>("label");
        expected.resize(40);  // the first rows of both are the same
        EXPECT_EQ(labels.read<std::int32_t>("label"), expected);
        EXPECT_EQ(labels.shape("confidence"), (store::Shape{40}));
        EXPECT_EQ(labels.has("halo"), method == "adp");
        if (method != "adp") continue;
        EXPECT_NE(assign("").output.find("give --matrix"), std::string::npos);
        const auto refused = assign("--matrix " + write_clouds("other.csv", 299));
        EXPECT_EQ(refused.status, 2);
        EXPECT_NE(refused.output.find("is not the matrix"), std::string::npos) << refused.output;
    }
    ASSERT_EQ(cluster(input, "c.h5", "--method dp").status, 0);
    const auto refused = assign("");
    EXPECT_EQ(refused.status, 2);
    EXPECT_NE(refused.output.find("of method 'dp'"), std::string::npos) << refused.output;
}

// By approximate_predict: rows of a cluster come back to it, and far away is noise.
TEST_F(ClusterJob, assign_puts_new_rows_into_clusters_of_hdbscan) {
    const auto input = write_clouds("clouds.csv", 300);
    ASSERT_EQ(cluster(input, "c.h5", "--method hdbscan --min-cluster-size 20").status, 0);
    const auto old = store::ArtefactReader(path("c.h5")).read<std::int32_t>("label");
    ASSERT_GT(std::count(old.begin(), old.end(), 1), 20);
    std::ofstream(path("far.csv")) << "1000,1000\n0,0\n12,0\n";
    const auto assign = [&](const std::string& fresh, int ranks) {
        const auto result =
            run_nanoatlas("assign --clusters " + path("c.h5") + " --matrix " + input + " --input " +
                              fresh + " --output " + path("l.h5"),
                          ranks);
        EXPECT_EQ(result.status, 0) << result.output;
        const store::ArtefactReader labels(path("l.h5"), "labels");
        return std::pair{labels.read<std::int32_t>("label"), labels.read<double>("confidence")};
    };
    const auto known = assign(input, 2).first;
    for (std::size_t i = 0; i < old.size(); ++i)
        if (old[i] >= 0) {
            EXPECT_EQ(known[i], old[i]) << i;
        }
    const auto [label, confidence] = assign(path("far.csv"), 1);
    EXPECT_EQ(label, (std::vector<std::int32_t>{-1, old[0], old[1]}));
    EXPECT_EQ(confidence[0], 0);
    EXPECT_GT(confidence[1], 0.5);
    EXPECT_EQ(assign(path("far.csv"), 4).second, confidence);  // more ranks than rows
}

// Lengths of rows don't count for the cosine: new rows are old ones, drawn out.
TEST_F(ClusterJob, assign_goes_by_the_metric_of_the_clusters) {
    std::ofstream file(path("rays.csv")), far(path("far.csv"));
    for (std::int64_t i = 0; i < 200; ++i) {
        base::Random random(63, i);
        const double angle = 1.5 * static_cast<double>(i % 2) + 0.1 * random.normal();
        const double length = random.uniform(1, 2);
        file << length * std::cos(angle) << ',' << length * std::sin(angle) << '\n';
        far << 50 * length * std::cos(angle) << ',' << 50 * length * std::sin(angle) << '\n';
    }
    file.close();
    far.close();
    const auto input = path("rays.csv");
    ASSERT_EQ(run_nanoatlas("neighbours --k 40 --metric cosine --input " + input + " --output " +
                            path("n.h5"))
                  .status,
              0);
    for (const std::string method : {"adp --maxk 40", "hdbscan --min-cluster-size 20"}) {
        const auto result =
            cluster(input, "c.h5", "--neighbours " + path("n.h5") + " --method " + method, 2);
        ASSERT_EQ(result.status, 0) << result.output;
        const auto old = store::ArtefactReader(path("c.h5")).read<std::int32_t>("label");
        ASSERT_NE(old[0], old[1]);
        ASSERT_EQ(run_nanoatlas("assign --clusters " + path("c.h5") + " --matrix " + input +
                                " --input " + path("far.csv") + " --output " + path("l.h5"))
                      .status,
                  0);
        const auto label = store::ArtefactReader(path("l.h5")).read<std::int32_t>("label");
        std::size_t same = 0;
        for (std::size_t i = 0; i < old.size(); ++i) same += label[i] == old[i] ? 1 : 0;
        EXPECT_GE(same, old.size() - 4) << method;  // noise of hdbscan may join
    }
}

}  // namespace
}  // namespace nanoatlas::testing
