#include "jobs/pipeline.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/check.hpp"
#include "comm/communicator.hpp"
#include "tests/mpi_test.hpp"
#include "tests/temporary_folder.hpp"

namespace nanoatlas::jobs {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> names(const std::vector<Stage>& stages) {
    std::vector<std::string> list;
    for (const auto& stage : stages) list.push_back(stage.name);
    return list;
}

TEST(PlanPipeline, stages_without_a_section_are_left_out_where_they_need_one) {
    EXPECT_EQ(
        names(plan_pipeline({{"ingest.images", "a"}}, {})),
        (std::vector<std::string>{"ingest", "extract", "reduce", "map", "cluster", "report"}));
    EXPECT_EQ(names(plan_pipeline({{"synth.count", "9"}}, {"run", "train", "score"})).size(), 9u);
}

TEST(PlanPipeline, files_follow_the_folder_unless_a_section_says_otherwise) {
    const auto stages = plan_pipeline({{"run.folder", "out"},
                                       {"ingest.images", "a"},
                                       {"ingest.images", "b"},
                                       {"reduce.output", "elsewhere.h5"}},
                                      {});
    EXPECT_EQ(stages[0].output(), "out/corpus.h5");
    EXPECT_EQ(stages[0].arguments(),
              (Arguments{"--images", "a", "b", "--output", "out/corpus.h5"}));
    EXPECT_EQ(stages[2].output(), "elsewhere.h5");
}

TEST(PlanPipeline, reduce_reads_what_enhance_wrote_unless_told_otherwise) {
    const base::Settings enhance{{"enhance.steps", "l2"}};
    const auto input = [](const std::vector<Stage>& stages) {
        const auto at = std::ranges::find(stages, "reduce", &Stage::name);
        return at->options.at("input");
    };
    EXPECT_EQ(input(plan_pipeline({}, {})), std::vector<std::string>{"./features.h5"});
    EXPECT_EQ(input(plan_pipeline(enhance, {})), std::vector<std::string>{"./enhanced.h5"});
    EXPECT_EQ(input(plan_pipeline({{"enhance.output", "a.h5"}, {"enhance.steps", "l2"}}, {})),
              std::vector<std::string>{"a.h5"});
    EXPECT_EQ(input(plan_pipeline({{"enhance.steps", "l2"}, {"reduce.input", "b.h5"}}, {})),
              std::vector<std::string>{"b.h5"});
}

TEST(PlanPipeline, the_map_is_of_what_is_clustered) {
    const auto map = [](const base::Settings& settings) {
        const auto stages = plan_pipeline(settings, {});
        return *std::ranges::find(stages, "map", &Stage::name);
    };
    using Words = std::vector<std::string>;
    const auto usual = map({});
    EXPECT_EQ(usual.job, "reduce");
    EXPECT_EQ(usual.options.at("method"), Words{"tsne"});
    EXPECT_EQ(usual.options.at("input"), Words{"./embedding.h5"});
    EXPECT_EQ(usual.output(), "./map.h5");
    EXPECT_EQ(map({{"cluster.input", "a.h5"}}).options.at("input"), Words{"a.h5"});
    EXPECT_EQ(map({{"cluster.input", "a.h5"}, {"map.input", "b.h5"}}).options.at("input"),
              Words{"b.h5"});
    EXPECT_EQ(map({{"map.method", "pca"}}).options.at("method"), Words{"pca"});
}

TEST(PlanPipeline, a_section_that_is_no_stage_is_refused) {
    EXPECT_THROW(plan_pipeline({{"clutser.Z", "3"}}, {}), InputError);
}

TEST(PipelineState, a_stage_is_up_to_date_until_option_input_or_output_changes) {
    const auto& world = testing::world();
    const testing::TemporaryFolder folder;
    const auto place = [&](const char* name) { return folder / name; };
    const auto write = [&](const char* name, const char* text) {
        world.on_root([&] { std::ofstream(place(name)) << text; });
    };
    Stage stage{.name = "reduce",
                .job = "reduce",
                .options = {{"input", {place("in")}}, {"output", {place("out")}}}};
    write("in", "one");
    write("out", "result");
    {
        PipelineState state(place("state.json"), world);
        const auto key = state.key_of(stage);
        EXPECT_FALSE(state.is_up_to_date(stage, key));
        state.record(stage, key, 1.5);
    }
    const auto up_to_date = [&](const Stage& candidate) {
        const PipelineState state(place("state.json"), world);
        return state.is_up_to_date(candidate, state.key_of(candidate));
    };
    EXPECT_TRUE(up_to_date(stage));
    auto other = stage;
    other.options["components"] = {"3"};
    EXPECT_FALSE(up_to_date(other));
    write("in", "two");
    EXPECT_FALSE(up_to_date(stage));
    write("in", "one");
    EXPECT_TRUE(up_to_date(stage));
    write("out", "tampered");
    EXPECT_FALSE(up_to_date(stage));
    world.on_root([&] { fs::remove(place("out")); });
    EXPECT_FALSE(up_to_date(stage));
    write("state.json", "{ broken");
    EXPECT_FALSE(up_to_date(stage));
}

}  // namespace
}  // namespace nanoatlas::jobs
