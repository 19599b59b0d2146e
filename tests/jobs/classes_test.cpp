// Classes that are paths, answers that are none of these, and networks that grow, as a user meets
// them: ingest, train, evaluate, classify.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/random.hpp"
#include "store/artefact.hpp"
#include "tests/command.hpp"
#include "tests/image/crafted.hpp"

namespace nanoatlas::testing {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

constexpr int side = 40;

/// Stripes with a phase and noise of their own.
FileBytes picture(const std::string& kind, std::uint64_t number) {
    base::Random random(17, number);
    const auto phase = static_cast<int>(random.below(8));
    std::vector<int> noise;
    for (int i = 0; i < side * side; ++i) noise.push_back(static_cast<int>(random.below(6000)));
    return make_png({.width = side, .height = side}, [&](int x, int y, int) {
        const bool across = (y + phase) / 4 % 2 == 0, down = (x + phase) / 4 % 2 == 0;
        const bool bright = kind == "across" ? across : kind == "down" ? down : across != down;
        return (bright ? 40000 : 15000) + noise[static_cast<std::size_t>(y * side + x)];
    });
}

class Classes : public ::testing::Test {
  protected:
    void SetUp() override {
        add("old/Stripes/across", "across", 20);
        add("old/Stripes/down", "down", 20);
        add("old/Stripes", "across", 6);  // which stripes is not said
        add("old/Board", "board", 20);
        ingest("old");
    }
    void add(const std::string& folder, const std::string& kind, int count) {
        fs::create_directories(path(folder));
        for (int i = 0; i < count; ++i, ++number_)
            write_file(path(folder + "/" + std::to_string(number_) + ".png"),
                       picture(kind, number_));
    }
    void ingest(const std::string& name, const std::string& more = "") const {
        run("ingest --dedup off --bar keep --size 40 --images " + path(name) + " --output " +
            path(name + ".h5") + " " + more);
    }
    std::string path(const std::string& name) const { return folder_ / name; }
    static std::string run(const std::string& arguments, int ranks = 1, int status = 0) {
        const auto result = run_nanoatlas(arguments, ranks);
        EXPECT_EQ(result.status, status) << arguments << "\n" << result.output;
        return result.output;
    }
    /// Trains a small network for a moment.
    std::string train(const std::string& corpus, const std::string& output,
                      const std::string& more = "", int ranks = 1) const {
        return run("train --arch squeezenet1_1 --epochs 1 --batch 16 --seed 4 --corpus " +
                       path(corpus) + " --output " + path(output) + " " + more,
                   ranks);
    }
    Names classes_of(const std::string& model) const {
        return store::ArtefactReader(path(model), "model").texts("classes");
    }
    nlohmann::json json_of(const std::string& name) const {
        std::ifstream file(path(name));
        return nlohmann::json::parse(file);
    }

    ScratchFolder folder_;
    std::uint64_t number_ = 0;
};

TEST_F(Classes, folders_below_folders_are_told_apart_at_each_level) {
    EXPECT_EQ(store::ArtefactReader(path("old.h5"), "corpus").read_strings("classes"),
              (Names{"Board", "Stripes", "Stripes/across", "Stripes/down"}));
    ingest("old", "--labels folders:1");
    EXPECT_EQ(store::ArtefactReader(path("old.h5"), "corpus").read_strings("classes"),
              (Names{"Board", "Stripes"}));
    run("ingest --images " + path("old") + " --labels folders:0 --output " + path("x.h5"), 2, 2);

    ingest("old");
    train("old.h5", "model.h5", "--augment upright --class-weights on", 2);
    EXPECT_EQ(classes_of("model.h5"), (Names{"Board", "Stripes/across", "Stripes/down"}));
    EXPECT_GT(store::ArtefactReader(path("model.h5")).number("temperature"), 0);
    std::vector<nlohmann::json> metrics;
    for (const int ranks : {1, 3}) {
        run("evaluate --part all --corpus " + path("old.h5") + " --model " + path("model.h5") +
                " --output " + path("metrics.json"),
            ranks);
        metrics.push_back(json_of("metrics.json"));
        metrics.back().erase("provenance");
    }
    EXPECT_EQ(metrics[0], metrics[1]);
    EXPECT_EQ(metrics[0]["rows"], 60);
    EXPECT_EQ(metrics[0]["inner_rows"], 6);
    ASSERT_EQ(metrics[0]["levels"].size(), 2U);
    EXPECT_EQ(metrics[0]["levels"][0]["classes"], (Names{"Board", "Stripes"}));
    EXPECT_EQ(metrics[0]["levels"][0]["rows"], 66);
    EXPECT_EQ(metrics[0]["levels"][1]["confusion"], metrics[0]["confusion"]);
    EXPECT_EQ(metrics[0]["coverage"].back()["coverage"], 1);
}

TEST_F(Classes, what_is_not_sure_enough_is_none_of_these) {
    const auto log = train("old.h5", "model.h5");
    EXPECT_NE(log.find("no threshold can be vouched for"), std::string::npos) << log;
    const auto classify = [&](const std::string& threshold, const std::string& output) {
        return run("classify --bar keep --images " + path("old") + " --model " + path("model.h5") +
                       " --threshold " + threshold + " --output " + path(output),
                   2);
    };
    classify("1", "none.h5");
    const store::ArtefactReader none(path("none.h5"), "predictions");
    EXPECT_EQ(none.read<std::int32_t>("label"), std::vector<std::int32_t>(66, -1));
    EXPECT_EQ(none.read_strings("answer"), Names(66, "none of these"));
    EXPECT_EQ(none.read_strings("inner_classes"), Names{"Stripes"});
    const auto inner = none.read<float>("inner_probability"), all = none.read<float>("probability");
    for (std::size_t i = 0; i < inner.size(); ++i)
        EXPECT_NEAR(inner[i], all[3 * i + 1] + all[3 * i + 2], 1e-6);

    // A network that is hardly trained: two of three classes are more probable than one.
    classify("0.55", "some.json");
    const auto images = json_of("some.json")["images"];
    for (const auto& image : images) {
        const double stripes = image["levels"][0]["class"] == "Stripes"
                                   ? image["levels"][0]["probability"].get<double>()
                                   : 0;
        const auto& best = image["top"][0];
        EXPECT_EQ(image["answer"], best["probability"] >= 0.55 ? best["class"]
                                   : stripes >= 0.55           ? "Stripes/?"
                                                               : "none of these");
    }
    const auto summary = classify("0.55", "some.csv");
    EXPECT_NE(summary.find("none of these, threshold 0.55"), std::string::npos) << summary;
    std::ifstream table(path("some.csv"));
    std::string head, first;
    std::getline(table, head);
    std::getline(table, first);
    EXPECT_TRUE(head.starts_with("path,class1,probability1,")) << head;
    EXPECT_TRUE(head.ends_with(",answer")) << head;
    EXPECT_TRUE(first.ends_with("," + images[0]["answer"].get<std::string>())) << first;

    classify("off", "all.h5");
    const auto labels = store::ArtefactReader(path("all.h5")).read<std::int32_t>("label");
    EXPECT_TRUE(std::none_of(labels.begin(), labels.end(), [](auto label) { return label < 0; }));
    const auto refused = run("classify --images " + path("old") + " --model " + path("model.h5") +
                                 " --threshold high --output " + path("x.csv"),
                             2, 2);
    EXPECT_NE(refused.find("--threshold"), std::string::npos) << refused;
}

TEST_F(Classes, a_network_grows_to_more_and_tells_what_it_still_knows) {
    train("old.h5", "model.h5");
    fs::create_directory(path("more"));
    fs::copy(path("old"), path("more"), fs::copy_options::recursive);
    add("more/Noise", "board", 20);
    ingest("more");
    const auto log = train("more.h5", "grown.h5", "--init " + path("model.h5"), 2);
    EXPECT_NE(log.find("classes that '" + path("model.h5") + "' knew: accuracy"), std::string::npos)
        << log;
    EXPECT_EQ(classes_of("grown.h5"), (Names{"Board", "Stripes/across", "Stripes/down", "Noise"}));
    const auto results =
        nlohmann::json::parse(store::ArtefactReader(path("grown.h5")).provenance())["results"];
    EXPECT_TRUE(results.contains("old_classes_accuracy_before")) << results;
    EXPECT_TRUE(results.contains("old_classes_accuracy_after")) << results;

    // The old network and the new corpus.
    const auto evaluate = "evaluate --part all --corpus " + path("more.h5") + " --model " +
                          path("model.h5") + " --output " + path("metrics.json");
    const auto refused = run(evaluate, 2, 2);
    EXPECT_NE(refused.find("does not know the class 'Noise'"), std::string::npos) << refused;
    run(evaluate + " --unknown-classes count", 2);
    const auto metrics = json_of("metrics.json");
    EXPECT_EQ(metrics["rows"], 60);
    EXPECT_EQ(metrics["none_of_these"]["unknown_classes"]["images"], 20);

    // A corpus with one of the old classes alone: the others are kept, or dropped on request.
    add("few/Board", "board", 20);
    add("few/Noise", "across", 20);
    ingest("few");
    const auto warned = train("few.h5", "kept.h5", "--init " + path("model.h5"));
    EXPECT_NE(warned.find("nothing keeps the network from forgetting"), std::string::npos)
        << warned;
    EXPECT_EQ(classes_of("kept.h5"), classes_of("grown.h5"));
    train("few.h5", "dropped.h5", "--old-classes drop --init " + path("model.h5"));
    EXPECT_EQ(classes_of("dropped.h5"), (Names{"Board", "Noise"}));
}

}  // namespace
}  // namespace nanoatlas::testing
