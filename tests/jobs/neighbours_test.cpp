// nanoatlas neighbours and dimension as a user runs them, and who takes their lists.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "store/artefact.hpp"
#include "store/npy.hpp"
#include "tests/jobs/cluster_job.hpp"

namespace nanoatlas::testing {
namespace {

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
