// The page of the evaluation: metrics, scores, and answers that are no classes.
#include <gtest/gtest.h>

#include "atlas/inputs.hpp"
#include "tests/atlas/drawn_atlas.hpp"
#include "tests/kokkos_environment.hpp"
#include "tests/temporary_folder.hpp"

namespace nanoatlas::atlas {
namespace {

using namespace testing;

TEST(Report, evaluation_shows_the_confusion_of_metrics) {
    const TemporaryFolder folder;
    const Sample sample{.images = 20};
    auto options = write_for_atlas(folder / "", sample, world());
    options.files.metrics =
        folder.write("metrics.json", R"({"accuracy": 0.75, "classes": ["<a>", "b"],
                            "per_class": {"<a>": {"precision": 0.5, "recall": 1, "f1": 0.667,
                                                  "support": 4321}},
                            "confusion": [[4321, 0], [17, 3]],
                            "levels": [{"depth": 1, "rows": 77, "accuracy": 0.5, "classes": ["<c>"],
                                        "confusion": [[77]]}, {}],
                            "none_of_these": {"threshold": 0.8, "target_precision": 0.95},
                            "coverage": [{"threshold": 0.9, "coverage": 0.25, "precision": 1},
                                         {"threshold": 0.8, "coverage": 0.75, "precision": 0.96},
                                         {"threshold": 0.5, "coverage": 1, "precision": 0.9}]})");
    options.files.scores = folder.write("scores.json", R"({"nmi": 0.625})");
    draw(options, world());
    world().on_root([&] {
        const auto page = read_files(options.output).at("evaluation.html");
        for (const char* text :
             {"4,321", "&lt;a&gt;", "0.75", "0.625", "Calibration", "85.0 %", "&lt;c&gt;",
              "threshold 0.8000: 75.0 % of the images get an answer, 96.0 % of these are right"})
            EXPECT_NE(page.find(text), std::string::npos) << text;
    });
}

TEST(Report, answers_that_are_no_classes_are_shown_as_such) {
    const TemporaryFolder folder;
    const Sample sample{.images = 20, .has_rejections = true};
    const auto options = write_for_atlas(folder / "", sample, world());
    draw(options, world());
    world().on_root([&] {
        const auto files = read_files(folder / "atlas");
        EXPECT_NE(files.at("data/map.js").find("none of these"), std::string::npos);
        EXPECT_NE(files.at("evaluation.html").find("Calibration"), std::string::npos);
    });
    Inputs inputs = read_inputs(options.files);
    ASSERT_TRUE(inputs.predictions);
    EXPECT_EQ(inputs.predictions->classes.size(), hostile_names.size() + 1);
    EXPECT_FALSE(inputs.predictions->has_answer(0));
    EXPECT_TRUE(inputs.predictions->has_answer(1));
    EXPECT_GE(inputs.predictions->most_probable[0], 0);
    inputs.classes = {"A", "A/x", "A/xy"};
    inputs.predictions->classes = {"A/x", "A/?", "A"};
    inputs.label = {0, 1, 2};
    EXPECT_TRUE(inputs.is_right(0, 0));
    EXPECT_TRUE(inputs.is_right(1, 1));
    EXPECT_TRUE(inputs.is_right(2, 2));
    EXPECT_FALSE(inputs.is_right(2, 0));
}

}  // namespace
}  // namespace nanoatlas::atlas
