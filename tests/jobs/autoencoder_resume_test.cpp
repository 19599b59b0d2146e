// nanoatlas reduce --method autoencoder as a user loses and resumes it: signals, a killed rank, a
// time limit.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/random.hpp"
#include "store/artefact.hpp"
#include "tests/command.hpp"

namespace nanoatlas {
namespace {

namespace fs = std::filesystem;
using testing::CommandResult;

class AutoencoderJob : public ::testing::Test {
  protected:
    void SetUp() override {
        std::ofstream table(path("x.csv"));
        for (int i = 0; i < 2000; ++i) {
            base::Random random(70, i);
            for (int j = 0; j < 48; ++j)
                table << fmt::format("{}{:.4f}", j > 0 ? "," : "", random.normal());
            table << '\n';
        }
    }
    std::string path(const std::string& name) const { return folder_ / name; }
    /// With its usual sizes, but for those that `more` gives.
    std::string command(const std::string& output, const std::string& more = "") const {
        auto text = "reduce --method autoencoder --input " + path("x.csv") + " --output " +
                    path(output) + " " + more;
        for (const auto& [option, value] : {std::pair("--components", "4"),
                                            {"--hidden", "200"},
                                            {"--epochs", "80"},
                                            {"--batch", "400"}})
            if (more.find(option) == std::string::npos)
                text += fmt::format(" {} {}", option, value);
        return text;
    }
    CommandResult run(const std::string& output, int ranks, const std::string& more = "") const {
        auto result = testing::run_nanoatlas(command(output, more), ranks);
        EXPECT_EQ(result.status, 0) << result.output;
        return result;
    }
    /// Sends a signal to one rank as soon as a checkpoint is there.
    CommandResult cut_off(const std::string& output, int ranks, const std::string& signal) const {
        const auto checkpoint =
            path(fs::path(output).stem().string() + ".checkpoint/checkpoint.h5");
        return testing::run_command(
            fmt::format("mpirun --oversubscribe --bind-to none -n {} {} {} & job=$!; "
                        "for i in $(seq 600); do [ -f {} ] && break; sleep 0.05; done; "
                        "kill -{} $(pgrep -P $job -n nanoatlas); wait $job",
                        ranks, NANOATLAS_BINARY, command(output), checkpoint, signal));
    }
    void expect_same(const std::string& a, const std::string& b) const {
        const store::ArtefactReader first(path(a), "embedding"), second(path(b), "embedding");
        EXPECT_EQ(first.read<float>("embedding"), second.read<float>("embedding"));
        EXPECT_EQ(first.read<double>("history/trained"), second.read<double>("history/trained"));
        EXPECT_EQ(first.read<double>("history/held_out"), second.read<double>("history/held_out"));
        EXPECT_EQ(first.number("epoch"), second.number("epoch"));
        for (const auto& dataset : first.datasets())
            if (dataset.starts_with("tensors/")) {
                EXPECT_EQ(first.read<float>(dataset), second.read<float>(dataset)) << dataset;
            }
    }
    testing::ScratchFolder folder_;
};

TEST_F(AutoencoderJob, a_signal_ends_with_a_checkpoint_and_the_rest_makes_the_same_bits) {
    for (const int ranks : {1, 2}) {
        run("straight.h5", ranks);
        const auto cut = fmt::format("cut{}.h5", ranks);
        const auto stopped = cut_off(cut, ranks, "TERM");
        EXPECT_EQ(stopped.status, 75) << stopped.output;
        EXPECT_NE(stopped.output.find("--resume"), std::string::npos) << stopped.output;
        EXPECT_FALSE(fs::exists(path(cut)));
        const auto rest = run(cut, ranks, "--resume");
        EXPECT_NE(rest.output.find("going on from epoch"), std::string::npos) << rest.output;
        expect_same(cut, "straight.h5");
    }
}

TEST_F(AutoencoderJob, a_killed_rank_costs_the_time_since_the_last_checkpoint) {
    run("straight.h5", 2);
    const auto killed = cut_off("cut.h5", 2, "KILL");
    EXPECT_NE(killed.status, 0);
    EXPECT_FALSE(fs::exists(path("cut.h5")));
    const auto rest = run("cut.h5", 2, "--resume");
    EXPECT_NE(rest.output.find("going on from epoch"), std::string::npos) << rest.output;
    expect_same("cut.h5", "straight.h5");
    // On another number of ranks it goes on, too.
    run("cut.h5", 3, "--resume");
}

TEST_F(AutoencoderJob, a_time_limit_ends_with_a_checkpoint_and_status_75) {
    const auto limited = " --epochs 100000 --time-limit 0:00:05 --checkpoint " + path("kept");
    const auto result = testing::run_nanoatlas(command("e.h5", limited), 2);
    EXPECT_EQ(result.status, 75) << result.output;
    EXPECT_NE(result.output.find("time limit"), std::string::npos) << result.output;
    EXPECT_TRUE(fs::exists(path("kept/checkpoint.h5")));
    EXPECT_FALSE(fs::exists(path("e.h5")));
}

TEST_F(AutoencoderJob, what_does_not_belong_together_is_refused) {
    const std::string few = "--epochs 2 ";
    const auto first = run("e.h5", 1, few + "--resume");
    EXPECT_NE(first.output.find("no checkpoint in"), std::string::npos) << first.output;
    const auto refused = [&](const std::string& more, const std::string& why) {
        const auto result = testing::run_nanoatlas(command("e.h5", few + more), 2);
        EXPECT_EQ(result.status, 2) << result.output;
        EXPECT_NE(result.output.find(why), std::string::npos) << result.output;
    };
    refused("--resume --components 5", "components = 5");
    refused("--resume --seed 2", "seed = 2");
    refused("--resume --standardise", "rows learnt");
    refused("--time-limit soon", "--time-limit");
    refused("--checkpoint " + path("x.csv") + "/c", "--checkpoint");
    run("e.h5", 2, few + "--resume");
}

}  // namespace
}  // namespace nanoatlas
