// bench as users script it: one JSON object on the last line, from a real measurement.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/command.hpp"

namespace nanoatlas {
namespace {

nlohmann::json bench(const std::string& arguments, int ranks = 1) {
    const auto result = testing::run_nanoatlas("bench " + arguments + " --repeat 2 --json", ranks);
    EXPECT_EQ(result.status, 0) << result.output;
    auto end = result.output.find_last_not_of('\n');
    const auto begin = result.output.rfind('\n', end);
    return nlohmann::json::parse(result.output.substr(begin + 1, end - begin));
}

void expect_measured(const nlohmann::json& result, const std::string& name, const std::string& unit,
                     double amount) {
    EXPECT_EQ(result["bench"], name);
    EXPECT_EQ(result["unit"], unit);
    EXPECT_LE(result["seconds_min"], result["seconds"]);
    EXPECT_LE(result["seconds"], result["seconds_max"]);
    EXPECT_NEAR(result["rate"].get<double>() * result["seconds"].get<double>(), amount,
                1e-9 * amount);
    EXPECT_GT(result["peak_memory_bytes"], 1 << 20);
    EXPECT_GE(result["threads"], 1);
}

TEST(Bench, matrices) {
    const std::string sizes = " --rows 500 --columns 12 --k 5 --maxk 20 --components 3";
    for (const std::string name : {"pca", "neighbours", "adp", "hdbscan", "silhouette"})
        expect_measured(bench(name + sizes), name, "rows/s", 500);
    const auto kmeans = bench("kmeans --clusters 3 --steps 1" + sizes, 2);
    expect_measured(kmeans, "kmeans", "iterations/s", 1);
    const auto pca = bench("pca" + sizes, 2);
    expect_measured(pca, "pca", "rows/s", 500);
    EXPECT_EQ(pca["ranks"], 2);
    EXPECT_EQ(pca["config"]["rows"], 500);
    EXPECT_GT(pca["ceiling"], 0);
}

TEST(Bench, networks) {
    for (const std::string name : {"train", "extract"}) {
        const auto result = bench(name + " --arch squeezenet1_1 --size 64 --batch 2 --steps 2", 2);
        expect_measured(result, name, "img/s", 4);
        EXPECT_GT(result["ceiling"], 0);
        double share = 0;
        for (const auto& group : result["layers"]) share += group["share"].get<double>();
        EXPECT_NEAR(share, 1, 1e-9);
        EXPECT_GT(result["layers"][0]["gflop_per_second"], 0);
        EXPECT_LE(result["layers"][0]["forward"], result["layers"][0]["seconds"]);
    }
}

TEST(Bench, autoencoder) {
    const std::string sizes =
        "autoencoder --rows 300 --columns 12 --components 3 --hidden 8 --batch 16";
    for (const int ranks : {1, 2}) {
        const auto result = bench(sizes, ranks);
        expect_measured(result, "autoencoder", "rows/s", 300);
        EXPECT_EQ(result["config"]["parameters"], 12 * 8 + 8 + 8 * 3 + 3 + 3 * 8 + 8 + 8 * 12 + 12);
        EXPECT_GT(result["ceiling"], 0);
    }
    EXPECT_EQ(testing::run_nanoatlas("bench autoencoder --rows 30 --columns 4").status, 2);
    EXPECT_EQ(testing::run_nanoatlas("bench " + sizes + " --precision int8").status, 2);
}

TEST(Bench, machine) {
    const testing::ScratchFolder folder;
    expect_measured(bench("allreduce --megabytes 1", 2), "allreduce", "GB/s", 1e-3);
    const auto io = bench("io --megabytes 1 --folder " + folder.path().string(), 2);
    expect_measured(io, "io", "GB/s", 2e-9 * io["config"]["bytes"].get<double>());
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(Bench, wrong_input) {
    EXPECT_EQ(testing::run_nanoatlas("bench").status, 2);
    EXPECT_EQ(testing::run_nanoatlas("bench nonsense").status, 2);
    EXPECT_EQ(testing::run_nanoatlas("bench allreduce").status, 2);
    EXPECT_EQ(testing::run_nanoatlas("bench pca --repeat 0").status, 2);
}

}  // namespace
}  // namespace nanoatlas
