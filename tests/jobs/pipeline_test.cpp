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
    EXPECT_EQ(names(plan_pipeline({{"ingest.images", "a"}}, {})),
              (std::vector<std::string>{"ingest", "extract", "reduce", "neighbours", "map",
                                        "cluster", "report"}));
    EXPECT_EQ(names(plan_pipeline({{"synth.count", "9"}}, {"run", "train", "score"})).size(), 10u);
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

TEST(PlanPipeline, training_and_autoencoders_can_go_on) {
    const auto resumable = [](const base::Settings& settings) {
        std::vector<std::string> found;
        for (const auto& stage : plan_pipeline(settings, {"train"}))
            if (stage.can_resume()) found.push_back(stage.name);
        return found;
    };
    EXPECT_EQ(resumable({}), std::vector<std::string>{"train"});
    EXPECT_EQ(resumable({{"reduce.method", "autoencoder"}}),
              (std::vector<std::string>{"train", "reduce"}));
}

const Stage& stage_of(const std::vector<Stage>& stages, const std::string& job) {
    return *std::ranges::find(stages, job, &Stage::job);
}

TEST(PlanPipeline, lists_are_made_once_and_as_long_as_they_are_needed) {
    const auto longest = [](base::Settings settings, const char* map = "pca") {
        settings.emplace_back("map.method", map);
        const auto stages = plan_pipeline(settings, {"dimension"});
        const auto& lists = stage_of(stages, "neighbours");
        for (const char* job : {"dimension", "cluster"})
            EXPECT_EQ(stage_of(stages, job).options.at("neighbours"), std::vector{lists.output()});
        EXPECT_EQ(stage_of(stages, "dimension").options.at("input"), lists.options.at("input"));
        return lists.options.at("k").at(0);
    };
    EXPECT_EQ(longest({}), "at-most=100");
    EXPECT_EQ(longest({{"cluster.maxk", "20"}}), "at-most=64");
    EXPECT_EQ(longest({{"cluster.maxk", "20"}, {"dimension.range", "8"}}), "at-most=20");
    EXPECT_EQ(longest({{"cluster.method", "hdbscan"}}), "at-most=64");
    EXPECT_EQ(longest({{"cluster.method", "hdbscan"}, {"cluster.min-cluster-size", "100"}}),
              "at-most=129");
    EXPECT_EQ(longest({{"cluster.method", "hdbscan"}, {"cluster.min-cluster-size-scan", "5,80,9"}}),
              "at-most=104");
    EXPECT_EQ(longest({{"cluster.method", "hdbscan"},
                       {"cluster.min-cluster-size-scan", "5,80,9"},
                       {"cluster.min-samples", "2"}}),
              "at-most=64");
    EXPECT_EQ(longest({{"neighbours.k", "7"}}), "7");
    EXPECT_EQ(longest({{"cluster.maxk", "20"}}, "tsne"), "at-most=90");
    EXPECT_EQ(longest({{"map.perplexity", "50"}}, "tsne"), "at-most=153");
    EXPECT_EQ(longest({{"map.enhance", "l2"}, {"cluster.maxk", "70"}}, "tsne"), "at-most=70");
}

TEST(PlanPipeline, lists_are_given_to_those_alone_that_can_use_them) {
    const auto has_lists = [](const base::Settings& settings, const std::string& job,
                              const std::vector<std::string>& named = {}) {
        return std::ranges::any_of(plan_pipeline(settings, named), [&](const Stage& stage) {
            return stage.job == job &&
                   (job == "neighbours" || stage.options.contains("neighbours"));
        });
    };
    const base::Settings kmeans{{"cluster.method", "kmeans"}, {"map.method", "pca"}};
    EXPECT_FALSE(has_lists(kmeans, "neighbours"));
    EXPECT_TRUE(has_lists(kmeans, "neighbours", {"neighbours"}));
    EXPECT_TRUE(has_lists(kmeans, "dimension", {"dimension"}));
    EXPECT_TRUE(has_lists({{"cluster.method", "kmeans"}}, "reduce"));  // the map
    EXPECT_FALSE(has_lists({{"cluster.method", "dp"}}, "cluster"));
    const base::Settings other{{"cluster.input", "features.h5"}, {"neighbours.input", "e.h5"}};
    EXPECT_FALSE(has_lists(other, "cluster"));
    const auto own = plan_pipeline({{"cluster.neighbours", "mine.h5"}, {"map.method", "pca"}}, {});
    EXPECT_EQ(stage_of(own, "cluster").options.at("neighbours").at(0), "mine.h5");
    EXPECT_EQ(std::ranges::find(own, "neighbours", &Stage::job), own.end());
    const auto follow = plan_pipeline({{"cluster.input", "features.h5"}}, {});
    EXPECT_EQ(stage_of(follow, "neighbours").options.at("input").at(0), "features.h5");
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
