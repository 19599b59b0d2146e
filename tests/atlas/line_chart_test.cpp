// Lines with bars, over plain and logarithmic axes.
#include "atlas/line_chart.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <regex>

#include "atlas/dimension_chart.hpp"

namespace nanoatlas::atlas {
namespace {

int count(const std::string& text, const std::string& what) {
    int found = 0;
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
    return found;
}

TEST(LineChart, three_lines_differ_in_style_and_marks) {
    const auto text = line_chart({.title = "t",
                                  .x_name = "x",
                                  .series = {{"a", {{1, 1}, {2, 3}}},
                                             {"b", {{1, 2}, {2, 2}}},
                                             {"c", {{1, 3}, {2, 1}}},
                                             {"", {{1, 1}, {2, 2}}, true}}});
    for (const char* style : {"curve first", "curve second", "curve third"})
        EXPECT_EQ(count(text, std::string("<path class=\"") + style), 1) << style;
    EXPECT_EQ(count(text, "<circle"), 3);  // two points and the key
    EXPECT_EQ(count(text, "<rect"), 3);
    EXPECT_EQ(count(text, "<polygon"), 3);
    EXPECT_EQ(count(text, "curve faint"), 1);
}

// The places of a bar's ends, as heights in the picture.
TEST(LineChart, bars_reach_as_far_as_the_spread_and_stay_inside) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const auto text = line_chart(
        {.title = "t",
         .x_name = "x",
         .series = {{.name = "a", .points = {{1, 5}, {2, 5}, {3, 5}}, .spread = {0.5, 2, nan}}}});
    EXPECT_EQ(count(text, "curve first bars"), 2);
    EXPECT_EQ(text.find("nan"), std::string::npos);
    static const std::regex bar(R"re(bars" d="M\S+ (\S+)H\S+M\S+ \S+V\S+M\S+ (\S+)H)re");
    std::vector<double> lengths;
    for (std::sregex_iterator at(text.begin(), text.end(), bar), end; at != end; ++at) {
        const double low = std::stod((*at)[1]), high = std::stod((*at)[2]);
        EXPECT_LE(low, 252);
        EXPECT_GE(high, 34);
        lengths.push_back(low - high);
    }
    ASSERT_EQ(lengths.size(), 2U);
    EXPECT_NEAR(lengths[1], 4 * lengths[0], 0.5);
}

TEST(DimensionChart, shows_both_curves_with_their_spread) {
    const cluster::DimensionEstimate first{5, 0.1, 1, 100, 2}, second{4.5, 0.2, 30, 100, 4};
    const auto text = dimension_chart(
        {.fit = first, .likelihood = first, .gride = {first, second}, .decimation = {second}});
    EXPECT_EQ(count(text, "bars"), 4);
    EXPECT_NE(text.find("Gride 4.5 ± 0.4"), std::string::npos);
    EXPECT_NE(text.find(">10<"), std::string::npos) << "a wide axis goes by powers of ten";
}

}  // namespace
}  // namespace nanoatlas::atlas
