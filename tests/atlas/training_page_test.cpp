#include "atlas/training_page.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <limits>

#include "atlas/line_chart.hpp"

namespace nanoatlas::atlas {
namespace {

std::string metrics_line(int epoch, double loss, double validation_accuracy) {
    return fmt::format(
        R"({{"epoch":{},"loss":{},"accuracy":0.5,"rate":0.001,"seconds":10,"images_per_second":20,)"
        R"("validation":{{"loss":{},"accuracy":{},"macro_f1":0.4}}}})",
        epoch, loss, loss + 0.1, validation_accuracy);
}

bool has(const std::string& page, const std::string& text) {
    return page.find(text) != std::string::npos;
}

TEST(TrainingPage, loads_itself_anew_while_training_runs_and_no_longer) {
    TrainingStory story{
        .title = "resnet18 on <c>.h5",
        .epochs = 10,
        .history = {metrics_line(1, 2, 0.3), metrics_line(2, 1, 0.7), metrics_line(3, 0.9, 0.6)},
        .now = EpochSoFar{.done = 0.5, .loss = 0.8, .accuracy = 0.6},
        .written = "2026-01-31T12:00:00Z"};
    const auto running = training_page(story);
    EXPECT_TRUE(has(running, R"(http-equiv="refresh")"));
    EXPECT_TRUE(has(running, "epoch 4 of 10"));
    EXPECT_TRUE(has(running, "2026-01-31T12:00:00Z"));
    EXPECT_TRUE(has(running, "resnet18 on &lt;c&gt;.h5"));
    EXPECT_FALSE(has(running, "<c>"));
    EXPECT_TRUE(has(running, "best validation, epoch 2"));
    EXPECT_TRUE(has(running, R"(<tr class="best"><td>2</td>)"));
    EXPECT_FALSE(has(running, "{{"));
    EXPECT_FALSE(has(running, "src=")) << "a page that needs other files";
    story.ended = "the loss is <nan>";
    const auto ended = training_page(story);
    EXPECT_FALSE(has(ended, "http-equiv=\"refresh\""));
    EXPECT_TRUE(has(ended, "the loss is &lt;nan&gt;"));
    EXPECT_FALSE(has(ended, "<script"));
}

TEST(TrainingPage, is_one_before_the_first_epoch_and_without_validation) {
    EXPECT_TRUE(has(training_page({.title = "a", .epochs = 2}), "epoch 1 of 2"));
    const auto page = training_page(
        {.title = "a",
         .epochs = 1,
         .history = {
             R"({"epoch":1,"loss":1,"accuracy":0.5,"rate":0,"seconds":0,"images_per_second":null})"}});
    EXPECT_FALSE(has(page, "nan"));
    EXPECT_FALSE(has(page, "best validation"));
}

TEST(LineChart, leaves_out_what_cannot_be_drawn) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const auto chart = line_chart(
        {.title = "t",
         .x_name = "x",
         .is_log_x = true,
         .is_log_y = true,
         .series = {{"a", {{0, 1}, {1e-3, nan}, {1e-2, 5}, {1, -1}, {10, 2}}}, {"b", {}}},
         .marked_x = 0.1,
         .mark = "here"});
    EXPECT_FALSE(has(chart, "nan"));
    EXPECT_FALSE(has(chart, "inf"));
    EXPECT_TRUE(has(chart, "here"));
    EXPECT_TRUE(has(chart, ">0.01<"));
    EXPECT_EQ(chart.find("L"), chart.rfind("L")) << "two points make one line";
}

TEST(LineChart, of_one_value_or_none_has_axes) {
    for (const auto& points : {std::vector<std::pair<double, double>>{}, {{1, 0.25}}}) {
        const auto chart = line_chart({.title = "t", .x_name = "x", .series = {{"a", points}}});
        EXPECT_FALSE(has(chart, "nan"));
        EXPECT_TRUE(has(chart, "class=\"axis\""));
    }
}

TEST(RateTestPage, says_what_it_suggests) {
    const std::vector<std::pair<double, double>> losses = {{1e-4, 2}, {1e-3, 1}, {1e-2, 3}};
    EXPECT_TRUE(has(
        rate_test_page({.title = "a", .losses = losses, .smoothed = losses, .suggestion = 0.0012}),
        "--lr 0.0012"));
    EXPECT_TRUE(
        has(rate_test_page({.title = "a", .losses = losses, .smoothed = losses}), "never fell"));
}

}  // namespace
}  // namespace nanoatlas::atlas
