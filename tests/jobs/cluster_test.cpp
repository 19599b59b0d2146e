// nanoatlas cluster as a user runs it: what it writes, and how it treats awkward matrices.
#include <fmt/core.h>
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

TEST_F(ClusterJob, refuses_options_out_of_range) {
    const auto input = write_clouds("clouds.csv", 30);
    for (const auto* more : {"--maxk 1", "--dimension zero", "--dimension -3", "--Z -1",
                             "--Z-scan 1,x", "--Z-scan -1", "--stability -1"}) {
        const auto result = cluster(input, "c.h5", more);
        EXPECT_EQ(result.status, 2) << more << "\n" << result.output;
    }
}

TEST_F(ClusterJob, takes_lists_of_the_job_neighbours) {
    const auto input = write_clouds("clouds.csv", 300);
    const auto neighbours = [&](const std::string& more, const std::string& output) {
        return run_nanoatlas("neighbours --input " + input + " --output " + path(output) + more, 2);
    };
    auto result = neighbours(" --k 60", "n.h5");
    ASSERT_EQ(result.status, 0) << result.output;
    const store::ArtefactReader file(path("n.h5"), "neighbours");
    EXPECT_EQ(file.shape("index"), (store::Shape{300, 60}));
    EXPECT_EQ(file.number("k"), 60);
    EXPECT_EQ(file.text("metric"), "euclidean");

    // The same where only few rows are held at a time.
    std::ofstream npy(path("clouds.npy"), std::ios::binary);
    npy << store::npy_header_bytes<double>({300, 2});
    std::ifstream text(input);
    for (double value = 0; text >> value; text.ignore())
        npy.write(reinterpret_cast<const char*>(&value), sizeof value);
    npy.close();
    result = run_nanoatlas("neighbours --k 60 --memory 1e-4 --input " + path("clouds.npy") +
                               " --output " + path("parts.h5"),
                           2);
    ASSERT_EQ(result.status, 0) << result.output;
    EXPECT_NE(result.output.find("stays in its file"), std::string::npos) << result.output;
    const store::ArtefactReader parts(path("parts.h5"), "neighbours");
    EXPECT_EQ(parts.read<std::int64_t>("index"), file.read<std::int64_t>("index"));
    EXPECT_EQ(parts.read<double>("distance"), file.read<double>("distance"));
    EXPECT_EQ(parts.text("matrix"), file.text("matrix"));

    // A longer list than is needed is cut.
    ASSERT_EQ(cluster(input, "a.npy", "--maxk 40 --neighbours " + path("n.h5")).status, 0);
    ASSERT_EQ(cluster(input, "b.npy", "--maxk 40").status, 0);
    EXPECT_EQ(store::read_npy<double>(path("a.npy")).values,
              store::read_npy<double>(path("b.npy")).values);
    result = cluster(input, "c.npy", "--maxk 61 --neighbours " + path("n.h5"));
    EXPECT_EQ(result.status, 2);
    EXPECT_NE(result.output.find("60 neighbours"), std::string::npos) << result.output;
    result = cluster(write_clouds("more.csv", 301), "c.npy", "--neighbours " + path("n.h5"));
    EXPECT_EQ(result.status, 2);
    EXPECT_NE(result.output.find("another matrix"), std::string::npos) << result.output;

    result = neighbours(" --k 5 --metric cosine", "cosine.h5");
    ASSERT_EQ(result.status, 0) << result.output;
    const store::ArtefactReader cosine(path("cosine.h5"), "neighbours");
    for (const double distance : cosine.read<double>("distance")) EXPECT_LE(distance, 2);
}

TEST_F(ClusterJob, takes_lists_of_a_matrix_whose_rows_repeat) {
    const auto input = write_clouds("clouds.csv", 200);
    std::ofstream(input, std::ios::app) << std::ifstream(write_clouds("again.csv", 40)).rdbuf();
    ASSERT_EQ(
        run_nanoatlas("neighbours --k 70 --input " + input + " --output " + path("n.h5"), 1).status,
        0);
    for (const int ranks : {1, 3}) {
        const auto result =
            cluster(input, "a.npy", "--maxk 30 --neighbours " + path("n.h5"), ranks);
        ASSERT_EQ(result.status, 0) << result.output;
        ASSERT_EQ(cluster(input, "b.npy", "--maxk 30").status, 0);
        EXPECT_EQ(store::read_npy<double>(path("a.npy")).values,
                  store::read_npy<double>(path("b.npy")).values);
    }
    // Too few are left: they are found after all.
    const auto result = cluster(input, "a.npy", "--maxk 70 --neighbours " + path("n.h5"));
    EXPECT_EQ(result.status, 0);
    EXPECT_NE(result.output.find("repeated rows leave"), std::string::npos) << result.output;
    ASSERT_EQ(cluster(input, "b.npy", "--maxk 70").status, 0);
    EXPECT_EQ(store::read_npy<double>(path("a.npy")).values,
              store::read_npy<double>(path("b.npy")).values);
}

TEST_F(ClusterJob, lists_are_as_long_as_the_rows_allow_if_no_length_is_insisted_on) {
    const auto input = write_clouds("clouds.csv", 40);
    const auto neighbours = [&](const std::string& more, int ranks = 1) {
        return run_nanoatlas("neighbours --input " + input + " --output " + path("n.h5") + more,
                             ranks);
    };
    for (const auto& [more, length] :
         {std::pair{"", 39}, {" --k at-most=12", 12}, {" --k at-most=500", 39}, {" --k 7", 7}}) {
        const auto result = neighbours(more, 2);
        ASSERT_EQ(result.status, 0) << result.output;
        EXPECT_EQ(store::ArtefactReader(path("n.h5"), "neighbours").shape("index"),
                  (store::Shape{40, length}));
    }
    for (const char* more : {" --k 40", " --k 0", " --k many", " --k at-most=", " --k at-most=-3"})
        EXPECT_EQ(neighbours(more).status, 2) << more;
}

TEST_F(ClusterJob, dimension_writes_figures_and_a_picture) {
    const auto result = run_nanoatlas(
        "dimension --input " + write_clouds("clouds.csv", 400) + " --output " + path("d.json"), 2);
    ASSERT_EQ(result.status, 0) << result.output;
    EXPECT_NE(result.output.find("TWO-NN"), std::string::npos);
    std::ifstream json(path("d.json")), svg(path("d.svg"));
    const std::string figures(std::istreambuf_iterator<char>(json), {});
    const std::string picture(std::istreambuf_iterator<char>(svg), {});
    for (const char* name : {"two_nn", "gride", "decimation", "likelihood"})
        EXPECT_NE(figures.find(name), std::string::npos) << name;
    EXPECT_TRUE(picture.starts_with("<svg xmlns="));
    EXPECT_NE(picture.find("Gride"), std::string::npos);
    EXPECT_NE(picture.find("first bars"), std::string::npos);
}

TEST_F(ClusterJob, dimension_takes_lists_of_the_job_neighbours) {
    const auto input = write_clouds("clouds.csv", 200);
    const auto figures = [&](const std::string& more, int ranks) {
        const auto result = run_nanoatlas(
            "dimension --input " + input + " --output " + path("d.json") + " " + more, ranks);
        EXPECT_EQ(result.status, 0) << result.output;
        std::ifstream file(path("d.json"));
        const std::string text(std::istreambuf_iterator<char>(file), {});
        return text.substr(0, text.find("provenance"));
    };
    const auto expected = figures("", 1);
    ASSERT_EQ(
        run_nanoatlas("neighbours --k 70 --input " + input + " --output " + path("n.h5")).status,
        0);
    for (const int ranks : {1, 3})
        EXPECT_EQ(figures("--neighbours " + path("n.h5"), ranks), expected);
    const auto refused = run_nanoatlas("dimension --range 128 --input " + input + " --output " +
                                       path("d.json") + " --neighbours " + path("n.h5"));
    EXPECT_EQ(refused.status, 2);
    EXPECT_NE(refused.output.find("run neighbours --k 128"), std::string::npos) << refused.output;
}

}  // namespace
}  // namespace nanoatlas::testing
