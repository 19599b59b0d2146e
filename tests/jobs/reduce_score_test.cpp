// The jobs reduce and score, called in the program of the test so that any number of ranks can.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/check.hpp"
#include "base/random.hpp"
#include "jobs/jobs.hpp"
#include "store/artefact.hpp"
#include "store/matrix.hpp"
#include "store/provenance.hpp"
#include "tests/kokkos_environment.hpp"
#include "tests/small_corpus.hpp"
#include "tests/temporary_folder.hpp"

namespace nanoatlas::jobs {
namespace {

using testing::world;

class ReduceAndScore : public ::testing::Test {
  protected:
    /// Three groups of rows, far apart; written as text.
    std::string table(std::int64_t rows, std::int64_t columns) const {
        std::string text;
        for (std::int64_t i = 0; i < rows; ++i) {
            base::Random random(50, i);
            for (std::int64_t j = 0; j < columns; ++j)
                text += fmt::format("{}{:.6f}", j > 0 ? "," : "",
                                    random.normal() + (j % 3 == i % 3 ? 20.0 : 0.0));
            text += '\n';
        }
        return folder_.write("table.csv", text);
    }
    int reduce(const Arguments& more) const {
        Arguments arguments{"--input", folder_ / "table.csv", "--quiet"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return run_reduce(arguments, world());
    }
    nlohmann::json scores(Arguments arguments) const {
        arguments.insert(arguments.end(), {"--output", folder_ / "scores.json", "--quiet"});
        EXPECT_EQ(run_score(arguments, world()), 0);
        return nlohmann::json::parse(std::ifstream(folder_ / "scores.json"));
    }
    static std::string refusal(const std::function<void()>& work) {
        try {
            work();
        } catch (const InputError& error) {
            return error.what();
        }
        return "";
    }
    testing::TemporaryFolder folder_;
};

TEST_F(ReduceAndScore, embedding_holds_all_datasets_and_plain_tables_the_same_values) {
    table(40, 6);
    for (const std::string name : {"e.h5", "e.npy", "e.csv"})
        EXPECT_EQ(reduce({"--output", folder_ / name, "--components", "3"}), 0);
    const store::ArtefactReader file(folder_ / "e.h5", "embedding");
    EXPECT_EQ(file.shape("embedding"), (store::Shape{40, 3}));
    EXPECT_EQ(file.shape("mean"), (store::Shape{6}));
    EXPECT_EQ(file.shape("components"), (store::Shape{3, 6}));
    EXPECT_EQ(file.shape("explained_variance"), (store::Shape{3}));
    EXPECT_EQ(file.shape("explained_variance_ratio"), (store::Shape{3}));
    const auto expected = store::read_matrix<float>(folder_ / "e.h5", world());
    EXPECT_EQ(store::read_matrix<float>(folder_ / "e.npy", world()).values, expected.values);
    EXPECT_EQ(store::read_matrix<float>(folder_ / "e.csv", world()).values, expected.values);
}

TEST_F(ReduceAndScore, options_take_effect) {
    table(40, 6);
    reduce({"--output", folder_ / "share.npy", "--components", "0.9"});
    EXPECT_EQ(store::read_matrix<float>(folder_ / "share.npy", world()).columns, 2);
    reduce({"--output", folder_ / "white.npy", "--components", "2", "--whiten", "on"});
    const auto white = store::read_matrix<float>(folder_ / "white.npy", world());
    double square = 0;
    for (const auto value : white.values) square += static_cast<double>(value) * value;
    EXPECT_NEAR(world().sum(square) / 39, 2, 1e-5);
    reduce({"--output", folder_ / "enhanced.npy", "--components", "6", "--enhance", "on"});
    const auto enhanced = store::read_matrix<float>(folder_ / "enhanced.npy", world());
    for (const auto value : enhanced.values) EXPECT_LT(std::abs(value), 1.1f);  // unit length
}

TEST_F(ReduceAndScore, a_tsne_map_says_what_it_is_and_takes_lists_of_neighbours) {
    table(60, 5);
    const Arguments tsne{"--method", "tsne", "--perplexity", "8", "--iterations", "50", "--output"};
    const auto map = [&](const std::string& name, const Arguments& more) {
        auto arguments = tsne;
        arguments.push_back(folder_ / name);
        arguments.insert(arguments.end(), more.begin(), more.end());
        reduce(arguments);
        return store::read_matrix<float>(folder_ / name, world()).values;
    };
    const auto alone = map("m.h5", {});
    const store::ArtefactReader file(folder_ / "m.h5", "embedding");
    EXPECT_EQ(file.shape("embedding"), (store::Shape{60, 2}));
    EXPECT_EQ(file.shape("kept_neighbours"), (store::Shape{60}));
    EXPECT_EQ(file.text("method"), "tsne");
    EXPECT_EQ(file.number("perplexity"), 8);
    EXPECT_GT(file.number("divergence"), 0);
    EXPECT_GT(file.number("mean_kept_neighbours"), 0.3);
    run_neighbours(
        {"--input", folder_ / "table.csv", "--output", folder_ / "n.h5", "--k", "30", "--quiet"},
        world());
    EXPECT_EQ(map("again.npy", {"--neighbours", folder_ / "n.h5"}), alone);
    EXPECT_NE(map("other.npy", {"--seed", "5"}), alone);
    EXPECT_EQ(map("three.npy", {"--components", "3"}).size() / 3, alone.size() / 2);
    const auto refused = [&](const Arguments& more) { return refusal([&] { map("r.h5", more); }); };
    EXPECT_NE(refused({"--components", "50"}).find("2 or 3"), std::string::npos);
    table(61, 5);
    EXPECT_NE(refused({"--neighbours", folder_ / "n.h5"}).find("another matrix"),
              std::string::npos);
    EXPECT_NE(refused({"--perplexity", "30"}), "");
    folder_.write("table.csv", "1,2\n3,nan\n5,6\n");
    EXPECT_NE(refused({}).find("row 1, column 1"), std::string::npos);
    EXPECT_FALSE(std::filesystem::exists(folder_ / "r.h5"));
}

TEST_F(ReduceAndScore, rows_in_a_file_that_is_read_in_pieces_give_the_same_embedding) {
    const auto matrix = store::read_matrix<double>(table(1500, 4), world());
    store::write_plain_table(folder_ / "table.npy", matrix, world());
    reduce({"--output", folder_ / "memory.npy", "--components", "3"});
    EXPECT_EQ(run_reduce({"--input", folder_ / "table.npy", "--output", folder_ / "pieces.npy",
                          "--components", "3", "--quiet"},
                         world()),
              0);
    EXPECT_EQ(store::read_matrix<float>(folder_ / "memory.npy", world()).values,
              store::read_matrix<float>(folder_ / "pieces.npy", world()).values);
}

TEST_F(ReduceAndScore, a_fit_takes_other_rows_and_its_own_to_the_same_bits) {
    table(60, 6);
    const auto same = [&](const std::string& a, const std::string& b) {
        EXPECT_EQ(store::read_matrix<float>(folder_ / a, world()).values,
                  store::read_matrix<float>(folder_ / b, world()).values);
    };
    for (const std::string whiten : {"off", "on"}) {
        reduce({"--output", folder_ / "fit.h5", "--components", "3", "--whiten", whiten});
        EXPECT_EQ(reduce({"--output", folder_ / "again.h5", "--fitted", folder_ / "fit.h5"}), 0);
        same("fit.h5", "again.h5");
        EXPECT_EQ(reduce({"--output", folder_ / "third.npy", "--fitted", folder_ / "again.h5"}), 0);
        same("fit.h5", "third.npy");
    }
    const auto provenance =
        nlohmann::json::parse(store::ArtefactReader(folder_ / "again.h5").provenance());
    ASSERT_EQ(provenance["inputs"].size(), 2U);
    EXPECT_EQ(provenance["inputs"][1]["hash"], store::hash_file(folder_ / "fit.h5", world()));

    // Rows that the fit has not seen, against the sums written out.
    table(90, 6);
    reduce({"--output", folder_ / "new.h5", "--fitted", folder_ / "fit.h5"});
    const auto rows = store::read_matrix<float>(folder_ / "table.csv", world());
    const auto found = store::read_matrix<float>(folder_ / "new.h5", world());
    const store::ArtefactReader fit(folder_ / "fit.h5", "embedding");
    const auto mean = fit.read<double>("mean"), axes = fit.read<double>("components"),
               variance = fit.read<double>("explained_variance");
    ASSERT_EQ(found.rows.total, 90);
    for (std::int64_t i = 0; i < found.rows.count; ++i)
        for (std::size_t c = 0; c < 3; ++c) {
            double expected = 0;
            for (std::size_t j = 0; j < 6; ++j)
                expected += (rows.row(i)[j] - mean[j]) * axes[c * 6 + j];
            EXPECT_NEAR(found.row(i)[c], expected / std::sqrt(variance[c]), 1e-5);
        }
}

TEST_F(ReduceAndScore, a_fit_that_does_not_belong_is_refused) {
    table(20, 4);
    reduce({"--output", folder_ / "fit.h5", "--components", "2"});
    reduce({"--output", folder_ / "enhanced.h5", "--components", "2", "--enhance"});
    reduce({"--output", folder_ / "table.npy", "--components", "2"});
    const auto refused = [&](const std::string& fitted, const Arguments& more = {}) {
        Arguments arguments{"--output", folder_ / "a.h5", "--fitted", folder_ / fitted};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return refusal([&] { reduce(arguments); });
    };
    EXPECT_NE(refused("table.npy"), "");
    EXPECT_NE(refused("absent.h5"), "");
    EXPECT_NE(refused("fit.h5", {"--whiten"}).find("--whiten"), std::string::npos);
    EXPECT_NE(refused("fit.h5", {"--enhance"}).find("enhance"), std::string::npos);
    EXPECT_NE(refused("enhanced.h5").find("enhance"), std::string::npos);
    const base::OptionTable options("test", "a test");
    store::ArtefactWriter other(folder_ / "other.h5", "embedding", world());
    other.attribute("method", std::string("autoencoder"));
    other.publish(store::Provenance(options, world()));
    EXPECT_NE(refused("other.h5").find("autoencoder"), std::string::npos);
    table(20, 5);
    EXPECT_NE(refused("fit.h5").find("5 columns"), std::string::npos);
    EXPECT_FALSE(std::filesystem::exists(folder_ / "a.h5"));
}

TEST_F(ReduceAndScore, enhance_is_the_stage_before_or_a_part_of_reduce) {
    const auto input = table(40, 6);
    const auto chain = "l2,diffuse:5,whiten:4";
    for (const std::string name : {"f.h5", "f.csv"})
        EXPECT_EQ(
            run_enhance({"--input", input, "--output", folder_ / name, "--steps", chain, "--quiet"},
                        world()),
            0);
    const store::ArtefactReader file(folder_ / "f.h5", "features");
    EXPECT_EQ(file.shape("features"), (store::Shape{40, 4}));
    EXPECT_EQ(file.text("steps"), chain);
    EXPECT_EQ(store::read_matrix<float>(folder_ / "f.h5", world()).values,
              store::read_matrix<float>(folder_ / "f.csv", world()).values);
    EXPECT_EQ(run_reduce({"--input", folder_ / "f.h5", "--output", folder_ / "two.npy",
                          "--components", "3", "--quiet"},
                         world()),
              0);
    reduce({"--output", folder_ / "one.npy", "--components", "3", "--enhance", chain});
    EXPECT_EQ(store::read_matrix<float>(folder_ / "one.npy", world()).values,
              store::read_matrix<float>(folder_ / "two.npy", world()).values);
    reduce({"--output", folder_ / "alone.npy", "--components", "3", "--enhance"});
    reduce({"--output", folder_ / "on.npy", "--components", "3", "--enhance", "on"});
    EXPECT_EQ(store::read_matrix<float>(folder_ / "alone.npy", world()).values,
              store::read_matrix<float>(folder_ / "on.npy", world()).values);
}

TEST_F(ReduceAndScore, enhancement_by_pixel_size_reads_the_corpus_of_the_rows) {
    const auto corpus = [&](const std::string& name, std::int64_t rows) {
        const auto row = [](std::int64_t i) {
            return testing::SmallCorpusRow{.pixels = {0}, .pixel_size = i % 2 == 0 ? 1e-9 : 2e-9};
        };
        return testing::write_small_corpus(folder_ / name, {.rows = rows, .row = row});
    };
    table(40, 6);
    const auto output = folder_ / "scaled.csv";
    const auto enhance = [&](const Arguments& more) {
        Arguments arguments{
            "--input", folder_ / "table.csv", "--output", output, "--steps", "scale:1", "--quiet"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return run_enhance(arguments, world());
    };
    EXPECT_EQ(enhance({"--corpus", corpus("c.h5", 40)}), 0);
    const auto found = store::read_matrix<float>(output, world());
    EXPECT_EQ(found.columns, 7);
    for (std::int64_t i = 0; i < found.rows.count; ++i)
        EXPECT_EQ(found.row(i)[6] < 0, (found.rows.first + i) % 2 == 0);
    EXPECT_NE(refusal([&] { enhance({}); }).find("--corpus"), std::string::npos);
    EXPECT_NE(refusal([&] {
                  enhance({"--corpus", corpus("d.h5", 39)});
              }).find("39 rows"),
              std::string::npos);
}

TEST_F(ReduceAndScore, wrong_input_of_reduce) {
    table(5, 3);
    const auto refused = [&](const Arguments& more) { return refusal([&] { reduce(more); }); };
    EXPECT_NE(refused({"--output", folder_ / "a.h5", "--components", "many"}), "");
    EXPECT_NE(refused({"--output", folder_ / "a.h5", "--method", "magic"}), "");
    EXPECT_NE(refused({"--output", folder_ / "a.h5", "--unknown", "1"}), "");
    EXPECT_NE(refused({"--output", folder_ / "a.h5", "--enhance", "magic"}).find("steps are"),
              std::string::npos);
    EXPECT_NE(refused({"--output", folder_ / "absent/a.h5", "--components", "2"}), "");
    folder_.write("table.csv", "1,2\n3,nan\n5,6\n");
    EXPECT_NE(refused({"--output", folder_ / "a.h5", "--components", "1"}).find("row 1, column 1"),
              std::string::npos);
    EXPECT_FALSE(std::filesystem::exists(folder_ / "a.h5"));
}

TEST_F(ReduceAndScore, scores_of_clusters_against_truth_and_embedding) {
    const auto embedding = table(30, 6);
    std::string truth, clusters, folds;
    for (int i = 0; i < 30; ++i) {
        truth += fmt::format("{}\n", std::vector<std::string>{"wire", "powder", "tip"}[i % 3]);
        clusters += fmt::format("{}\n", i % 3 == 2 ? -1 : i % 3);
        folds += fmt::format("{}\n", i % 3);
    }
    const auto found = scores({"--clusters", folder_.write("c.csv", clusters), "--truth",
                               folder_.write("t.csv", truth), "--embedding", embedding});
    for (const char* name : {"nmi", "ami", "ari", "homogeneity", "completeness", "v_measure",
                             "fowlkes_mallows", "purity", "nearest_neighbour_accuracy"})
        EXPECT_NEAR(found[name], 1, 1e-12) << name;
    EXPECT_GT(found["silhouette"], 0.8);
    EXPECT_EQ(found["noise"], 10);
    EXPECT_EQ(found["clusters"], 3);
    // Each fold is a class here, so no neighbour in another fold can be right.
    const auto folded =
        scores({"--clusters", folder_ / "c.csv", "--truth", folder_ / "t.csv", "--embedding",
                embedding, "--folds", folder_.write("f.csv", folds)});
    EXPECT_EQ(folded["nearest_neighbour_accuracy"], 0);
}

TEST_F(ReduceAndScore, rows_of_a_corpus_without_a_label_are_left_out) {
    const base::OptionTable options("test", "a test");
    store::ArtefactWriter corpus(folder_ / "corpus.h5", "corpus", world());
    corpus.write_whole<std::int32_t>("label", std::vector<std::int32_t>{0, 0, -1, 1, 1, -1}, {6});
    corpus.publish(store::Provenance(options, world()));
    const auto found = scores({"--clusters", folder_.write("c.csv", "4\n4\n5\n5\n5\n4\n"),
                               "--truth", folder_ / "corpus.h5"});
    EXPECT_EQ(found["rows"], 6);
    EXPECT_EQ(found["rows_scored"], 4);
    EXPECT_NEAR(found["nmi"], 1, 1e-12);
}

TEST_F(ReduceAndScore, internal_scores_and_intervals_are_written) {
    const auto matrix = table(60, 4);
    std::string labels;
    for (int i = 0; i < 60; ++i) labels += fmt::format("{}\n", i % 3);
    const auto clusters = folder_.write("c.csv", labels);
    const Arguments arguments{"--clusters", clusters, "--truth", clusters,      "--embedding",
                              matrix,       "--seed", "5",       "--bootstrap", "40"};
    const auto found = scores(arguments);
    EXPECT_GT(found["calinski_harabasz"], 100);
    EXPECT_LT(found["davies_bouldin"], 0.5);
    EXPECT_GT(found["dbcv"], 0.5);
    ASSERT_EQ(found["intervals"].size(), 4U);
    EXPECT_NEAR(found["intervals"]["nmi"][0], 1, 1e-12);
    EXPECT_LT(found["intervals"]["silhouette"][0], found["silhouette"]);
    EXPECT_GT(found["intervals"]["silhouette"][1], found["silhouette"]);
    EXPECT_FALSE(scores({"--clusters", clusters, "--truth", clusters}).contains("intervals"));
    EXPECT_NE(refusal([&] {
                  scores({"--clusters", clusters, "--truth", clusters, "--bootstrap", "-1"});
              }).find("--bootstrap"),
              std::string::npos);
}

TEST_F(ReduceAndScore, wrong_input_of_score) {
    const auto clusters = folder_.write("c.csv", "0\n1\n1\n");
    const auto refused = [&](const Arguments& arguments) {
        return refusal([&] { scores(arguments); });
    };
    EXPECT_NE(refused({"--clusters", clusters, "--truth", folder_.write("t.csv", "0\n1\n")})
                  .find("2 rows"),
              std::string::npos);
    EXPECT_NE(refused({"--clusters", clusters, "--truth", folder_ / "absent.npy"}), "");
    EXPECT_NE(refused({"--clusters", clusters, "--truth", clusters, "--folds", clusters})
                  .find("--embedding"),
              std::string::npos);
}

}  // namespace
}  // namespace nanoatlas::jobs
