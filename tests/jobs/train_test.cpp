// train, evaluate, classify and extract as a user runs them, on pictures drawn here.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/random.hpp"
#include "store/artefact.hpp"
#include "tests/command.hpp"

namespace nanoatlas::testing {
namespace {

namespace fs = std::filesystem;

constexpr int side = 40;

void put_number(std::ofstream& file, std::uint32_t value) {
    for (const int shift : {24, 16, 8, 0}) file.put(static_cast<char>(value >> shift & 0xFF));
}

/// An IDX pair of three classes, numbered from `first`: stripes across, stripes down, chessboard.
void write_idx(const std::string& stem, int count, std::uint64_t seed, int first = 0) {
    std::ofstream images(stem + "-images-idx3-ubyte", std::ios::binary);
    std::ofstream labels(stem + "-labels-idx1-ubyte", std::ios::binary);
    for (const std::uint32_t value : {0x803U, static_cast<std::uint32_t>(count), 40U, 40U})
        put_number(images, value);
    for (const std::uint32_t value : {0x801U, static_cast<std::uint32_t>(count)})
        put_number(labels, value);
    for (int n = 0; n < count; ++n) {
        base::Random random(seed, n);
        const auto phase = static_cast<int>(random.below(8));
        labels.put(static_cast<char>(first + n % 3));
        for (int y = 0; y < side; ++y)
            for (int x = 0; x < side; ++x) {
                const bool across = (y + phase) / 4 % 2 == 0, down = (x + phase) / 4 % 2 == 0;
                const bool bright = n % 3 == 0 ? across : n % 3 == 1 ? down : across != down;
                images.put(static_cast<char>((bright ? 170 : 60) + random.below(26)));
            }
    }
}

class TrainJobs : public ::testing::Test {
  protected:
    void SetUp() override {
        write_idx(folder_ / "train", 90, 1);
        write_idx(folder_ / "t10k", 30, 2);
        run("ingest --images " + (folder_ / "train-images-idx3-ubyte") + " " +
            (folder_ / "t10k-images-idx3-ubyte") + " --size 40 --labels folders --output " +
            corpus());
    }
    std::string corpus() const { return folder_ / "corpus.h5"; }
    std::string path(const std::string& name) const { return folder_ / name; }

    static std::string run(const std::string& arguments, int ranks = 1, int status = 0) {
        const auto result = run_nanoatlas(arguments, ranks);
        EXPECT_EQ(result.status, status) << arguments << "\n" << result.output;
        return result.output;
    }
    /// A short training of a small network; the words name the output first.
    std::string train(const std::string& output, const std::string& more) const {
        return "train --corpus " + corpus() + " --arch squeezenet1_1 --batch 16 --seed 4 " +
               "--output " + path(output) + " " + more;
    }
    std::string text_of(const std::string& name) const {
        std::ifstream file(path(name));
        return {std::istreambuf_iterator<char>(file), {}};
    }
    void expect_same_tensors(const std::string& a, const std::string& b) const {
        const store::ArtefactReader first(path(a)), second(path(b));
        ASSERT_EQ(first.datasets(), second.datasets());
        for (const auto& name : first.datasets())
            EXPECT_EQ(first.read<float>(name), second.read<float>(name)) << name;
    }

    ScratchFolder folder_;
};

TEST_F(TrainJobs, a_model_is_trained_evaluated_and_used) {
    run(train("model.h5", "--epochs 3 --optimizer adamw"), 2);
    const store::ArtefactReader model(path("model.h5"), "model");
    EXPECT_EQ(model.text("arch"), "squeezenet1_1");
    EXPECT_EQ(model.texts("classes").size(), 3U);
    EXPECT_EQ(model.numbers("mean").size(), 1U);

    std::istringstream lines(text_of("model.checkpoint/metrics.jsonl"));
    int epochs = 0;
    for (std::string line; std::getline(lines, line); ++epochs) {
        const auto metrics = nlohmann::json::parse(line);
        EXPECT_EQ(metrics["epoch"], epochs + 1);
        EXPECT_TRUE(metrics["validation"].contains("accuracy"));
    }
    EXPECT_EQ(epochs, 3);

    for (const int ranks : {1, 3}) {
        run("evaluate --corpus " + corpus() + " --model " + path("model.h5") + " --output " +
                path("metrics.json"),
            ranks);
        const auto metrics = nlohmann::json::parse(text_of("metrics.json"));
        EXPECT_EQ(metrics["rows"], 30);
        EXPECT_EQ(metrics["confusion"].size(), 3U);
        EXPECT_EQ(metrics["provenance"]["job"], "evaluate");
    }
}

TEST_F(TrainJobs, features_and_predictions_do_not_depend_on_the_number_of_ranks) {
    run(train("model.h5", "--epochs 1"));
    for (const int ranks : {1, 4}) {
        const auto suffix = std::to_string(ranks) + ".h5";
        run("extract --corpus " + corpus() + " --batch 7 --model " + path("model.h5") +
                " --output " + path("features" + suffix),
            ranks);
        run("classify --images " + path("t10k-images-idx3-ubyte") + " --model " + path("model.h5") +
                " --bar keep --output " + path("predictions" + suffix),
            ranks);
    }
    const store::ArtefactReader one(path("features1.h5"), "features");
    EXPECT_EQ(one.shape("features"), (store::Shape{120, 512}));
    EXPECT_EQ(one.read<float>("features"),
              store::ArtefactReader(path("features4.h5")).read<float>("features"));
    const store::ArtefactReader first(path("predictions1.h5"), "predictions");
    EXPECT_EQ(first.shape("probability"), (store::Shape{30, 3}));
    EXPECT_EQ(first.read<float>("probability"),
              store::ArtefactReader(path("predictions4.h5")).read<float>("probability"));

    run("classify --images " + path("t10k-images-idx3-ubyte") + " --model " + path("model.h5") +
        " --bar keep --top 2 --output " + path("p.csv"));
    EXPECT_TRUE(
        text_of("p.csv").starts_with("path,class1,probability1,class2,probability2,answer\n"));
    run("classify --images " + path("t10k-images-idx3-ubyte") + " --model " + path("model.h5") +
            " --bar keep --output " + path("p.json"),
        3);
    const auto json = nlohmann::json::parse(text_of("p.json"));
    EXPECT_EQ(json["images"].size(), 30U);
    EXPECT_EQ(json["images"][0]["top"].size(), 3U);
}

TEST_F(TrainJobs, two_and_two_epochs_are_four_to_the_bit) {
    const std::string how = "--schedule constant --warmup 0 --keep last --epochs ";
    run(train("straight.h5", how + "4"), 2);
    run(train("resumed.h5", how + "2"), 2);
    run(train("resumed.h5", how + "4 --resume"), 2);
    expect_same_tensors("straight.h5", "resumed.h5");
    // On another number of ranks it goes on too.
    run(train("resumed.h5", how + "5 --resume"), 3);
}

/// Sends SIGTERM to one rank as soon as the first epoch is kept.
TEST_F(TrainJobs, a_signal_ends_with_a_checkpoint_and_status_75) {
    const auto command =
        std::string(NANOATLAS_BINARY) + " " + train("model.h5", "--epochs 500 --schedule constant");
    const auto checkpoint = path("model.checkpoint/checkpoint.h5");
    const auto result = run_command(
        "mpirun --oversubscribe --bind-to none -n 2 " + command +
        " & job=$!; for i in $(seq 600); do [ -f " + checkpoint +
        " ] && break; sleep 0.1; done; kill -TERM $(pgrep -P $job -n nanoatlas); wait $job");
    EXPECT_EQ(result.status, 75) << result.output;
    EXPECT_NE(result.output.find("--resume"), std::string::npos) << result.output;
    EXPECT_FALSE(fs::exists(path("model.h5")));
    const auto epochs = static_cast<int>(store::ArtefactReader(checkpoint).number("epoch")) + 1;
    const auto again = run(
        train("model.h5", "--resume --schedule constant --epochs " + std::to_string(epochs)), 2);
    EXPECT_NE(again.find("going on from epoch"), std::string::npos) << again;
    EXPECT_TRUE(fs::exists(path("model.h5")));
}

TEST_F(TrainJobs, a_frozen_backbone_keeps_its_bits_and_fine_tuning_takes_new_layers) {
    run(train("first.h5", "--epochs 1"));
    run(train("second.h5", "--epochs 1 --init " + path("first.h5") + " --freeze backbone"), 2);
    run(train("third.h5", "--epochs 1 --init " + path("first.h5") + " --freeze to:features.6"));
    const store::ArtefactReader first(path("first.h5")), second(path("second.h5")),
        third(path("third.h5"));
    const auto same = [&](const store::ArtefactReader& other, const std::string& name) {
        return first.read<float>("tensors/" + name) == other.read<float>("tensors/" + name);
    };
    EXPECT_TRUE(same(second, "features.12.expand1x1.weight"));
    EXPECT_FALSE(same(second, "classifier.1.weight"));
    EXPECT_TRUE(same(third, "features.6.squeeze.weight"));
    EXPECT_FALSE(same(third, "features.7.squeeze.weight"));
}

TEST_F(TrainJobs, blocks_are_released_one_after_the_other) {
    run(train("first.h5", "--epochs 1"));
    const std::string how = "--init " + path("first.h5") +
                            " --unfreeze-every 1 --schedule constant --warmup 0 --keep last "
                            "--layer-decay 0.9 --epochs ";
    run(train("straight.h5", how + "3"), 2);
    run(train("resumed.h5", how + "2"), 2);
    run(train("resumed.h5", how + "3 --resume"), 2);
    expect_same_tensors("straight.h5", "resumed.h5");
    const store::ArtefactReader first(path("first.h5")), last(path("straight.h5"));
    for (const auto& [name, is_trained] :
         {std::pair("classifier.1.weight", true), std::pair("features.12.squeeze.weight", true),
          std::pair("features.11.expand3x3.bias", true),
          std::pair("features.10.squeeze.weight", false), std::pair("features.0.weight", false)}) {
        const auto tensor = std::string("tensors/") + name;
        EXPECT_EQ(first.read<float>(tensor) != last.read<float>(tensor), is_trained) << name;
    }
}

TEST_F(TrainJobs, the_best_epochs_and_the_curves_are_written) {
    run(train("model.h5",
              "--epochs 4 --keep-best 3 --mixup 0.2 --ema 0.9 --accumulate 2 --clip 1 "
              "--sampling balanced"),
        2);
    const auto best = nlohmann::json::parse(text_of("model.checkpoint/best.json"));
    ASSERT_EQ(best.size(), 3U);
    EXPECT_EQ(best[0]["file"], path("model.h5"));
    EXPECT_EQ(best[2]["file"], path("model.3.h5"));
    for (std::size_t i = 0; i < best.size(); ++i) {
        const store::ArtefactReader model(best[i]["file"].get<std::string>(), "model");
        if (i > 0) {
            EXPECT_LE(best[i]["accuracy"], best[i - 1]["accuracy"]);
        }
    }
    run("evaluate --part validation --corpus " + corpus() + " --model " + path("model.2.h5") +
        " --output " + path("metrics.json"));
    EXPECT_NEAR(nlohmann::json::parse(text_of("metrics.json"))["accuracy"].get<double>(),
                best[1]["accuracy"].get<double>(), 1e-9);
    const auto page = text_of("model.checkpoint/curves.html");
    EXPECT_NE(page.find("<b>Ended:</b>"), std::string::npos);
    EXPECT_NE(page.find("<svg"), std::string::npos);
    EXPECT_EQ(page.find("http-equiv"), std::string::npos) << "it goes on loading itself";
}

TEST_F(TrainJobs, a_test_of_learning_rates_leaves_no_model) {
    const auto output = run(train("model.h5", "--find-lr"), 2);
    EXPECT_NE(output.find("find-lr.html"), std::string::npos) << output;
    EXPECT_FALSE(fs::exists(path("model.h5")));
    EXPECT_FALSE(fs::exists(path("model.checkpoint/checkpoint.h5")));
    const auto test = nlohmann::json::parse(text_of("model.checkpoint/find-lr.json"));
    EXPECT_GT(test["steps"].size(), 10U);
    EXPECT_NE(text_of("model.checkpoint/find-lr.html").find("<svg"), std::string::npos);
}

TEST_F(TrainJobs, a_time_limit_ends_with_a_checkpoint_and_status_75) {
    const auto command = train("model.h5", "--schedule constant --time-limit 0:00:09 --epochs ");
    const auto result = run_nanoatlas(command + "100000", 2);
    EXPECT_EQ(result.status, 75) << result.output;
    EXPECT_NE(result.output.find("time limit"), std::string::npos) << result.output;
    EXPECT_NE(text_of("model.checkpoint/curves.html").find("--resume"), std::string::npos);
    const auto done = static_cast<int>(
        store::ArtefactReader(path("model.checkpoint/checkpoint.h5")).number("epoch"));
    run(train("model.h5", "--schedule constant --resume --epochs " + std::to_string(done + 1)), 2);
    EXPECT_TRUE(fs::exists(path("model.h5")));
}

TEST_F(TrainJobs, a_batch_smaller_than_the_number_of_ranks_trains) {
    const auto output = run("train --corpus " + corpus() + " --arch squeezenet1_1 --batch 2 " +
                                "--epochs 1 --output " + path("model.h5"),
                            4);
    EXPECT_NE(output.find("no images"), std::string::npos) << output;
    EXPECT_TRUE(fs::exists(path("model.h5")));
}

TEST_F(TrainJobs, too_little_memory_is_told_before_the_first_step) {
    // 90 images of 4096x4096 pixels: the first layer's values alone take 90 GiB.
    for (const int ranks : {1, 3}) {
        const auto result = run_nanoatlas(
            "train --corpus " + corpus() +
                " --arch squeezenet1_1 --batch 90 --size 4096 --output " + path("m.h5"),
            ranks);
        EXPECT_EQ(result.status, 2) << result.output;
        EXPECT_NE(result.output.find("GiB"), std::string::npos) << result.output;
        EXPECT_EQ(result.output.find("epoch 1"), std::string::npos) << result.output;
    }
}

TEST_F(TrainJobs, wrong_input_is_told_and_leaves_nothing) {
    const auto refused = [&](const std::string& arguments, const std::string& words) {
        for (const int ranks : {1, 3}) {
            const auto output = run(arguments, ranks, 2);
            EXPECT_NE(output.find(words), std::string::npos) << words << " in " << output;
        }
    };
    refused("train --corpus " + corpus() + " --arch resnet19 --output " + path("m.h5"),
            "it is one of");
    refused(train("m.h5", "--freeze tail"), "--freeze");
    refused(train("m.h5", "--freeze to:nowhere"), "nowhere");
    refused(train("m.h5", "--epochs 0"), "--epochs");
    refused(train("m.h5", "--time-limit soon"), "--time-limit");
    refused(train("m.h5", "--accumulate 17"), "--accumulate");
    refused(train("m.h5", "--unfreeze-every 1 --freeze backbone"), "--unfreeze-every");
    refused(train("m.h5", "--keep last --keep-best 2"), "--keep-best");
    refused(train("m.h5", "--ema 1"), "--ema");
    refused(train("m.h5", "--epochs 1 --init " + corpus()), "model");
    refused("train --corpus " + path("none.h5") + " --output " + path("m.h5"), "none.h5");
    refused(train("m.h5", "--optimizer sgd --schedule constant --warmup 0 --lr 1e20"), "loss");
    run("ingest --images " + path("t10k-images-idx3-ubyte") + " --size 40 --labels none --output " +
        path("unlabelled.h5"));
    refused("train --corpus " + path("unlabelled.h5") + " --output " + path("m.h5"), "label");
    EXPECT_FALSE(fs::exists(path("m.h5")));
    write_idx(folder_ / "other", 30, 2, 7);
    run("ingest --images " + path("other-images-idx3-ubyte") +
        " --size 40 --labels folders --output " + path("other.h5"));
    run(train("known.h5", "--epochs 1"));
    refused("evaluate --part all --corpus " + path("other.h5") + " --model " + path("known.h5") +
                " --output " + path("metrics.json"),
            "does not know the class");
    refused("evaluate --corpus " + corpus() + " --model " + corpus() + " --output " +
                path("metrics.json"),
            "model");
    refused("extract --corpus " + corpus() + " --layer nowhere --output " + path("f.h5"),
            "nowhere");
    EXPECT_FALSE(fs::exists(path("f.h5")));
}

}  // namespace
}  // namespace nanoatlas::testing
