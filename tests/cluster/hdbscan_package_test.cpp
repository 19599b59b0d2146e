// Clusters, probabilities and new rows against what the hdbscan package gives.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "cluster/hdbscan/predict.hpp"
#include "cluster/hdbscan/validity.hpp"
#include "tests/cluster/hdbscan_points.hpp"

namespace nanoatlas::cluster {
namespace {

using testing::drawn_by_formula;
using testing::Points;
using testing::run_hdbscan;
using testing::world;

struct Case {
    HdbscanOptions options;
    const char* label;  // a letter a row, '.' noise
    std::vector<double> persistence;
    double probability;  // of all rows together
};

HdbscanOptions with(SelectionOptions selection, std::int64_t min_cluster_size = 4,
                    double alpha = 1) {
    return {.min_cluster_size = min_cluster_size,
            .min_samples = 1,
            .alpha = alpha,
            .selection = selection};
}

// Given by hdbscan 0.8.44 (algorithm prims_kdtree); with min_samples 1 no two weights are equal,
// whose order is not defined there.
std::vector<Case> cases() {
    constexpr auto leaf = Selection::leaf;
    return {
        {with({}),
         "bbfhdabbchdabbehdabbchdabbcfdabbggdabbcgdabbcgda"
         "bbcfdabbehdabbehdabbefdabbe.dabbcfdabbcddabbcfda",
         {0.0902596025347, 0.287555414894, 0.412393592723, 0.350958133749, 0.125356393567,
          0.162363617343, 0.025390102845, 0.507243818277},
         86.71821609553},
        {with({.method = leaf}),
         "j.fib.jkaib.jgeibckkaib.j.afbckghhbd..ahbd.gahbc"
         "jgafbc..eib.jgeibd.gefbdjge.bcjgafbdjgabbdkgafbd",
         {0.412393592723, 0.350958133749, 0.00589462033626, 0.0963860848195, 0.125356393567,
          0.162363617343, 0.2418539933, 0.025390102845, 0.507243818277, 0.168104245653,
          0.0321414041516},
         74.42659631163},
        {with({.epsilon = 0.3}),
         "bbeedabbcedabbfedabbcedabbcedabbeedabbcedabbceda"
         "bbcedabbfedabbfedabbfedabbf.dabbcedabbcddabbceda",
         {0.0902596025347, 0.287555414894, 0.412393592723, 0.350958133749, 0.25745030693,
          0.125356393567},
         87.32348288361},
        {with({.epsilon = 0.8}),
         "bbcccabbcccabbcccabbcccabbcccabbcccabbcccabbccca"
         "bbcccabbcccabbcccabbcccabbcccabbcccabbcccabbccca",
         {0.0902596025347, 0.287555414894, 0.300496197426},
         93.08248734145},
        {with({.epsilon = 3}),
         "bbcccabbcccabbcccabbcccabbcccabbcccabbcccabbccca"
         "bbcccabbcccabbcccabbcccabbcccabbcccabbcccabbccca",
         {0.0902596025347, 0.287555414894, 0.300496197426},
         93.08248734145},
        {with({.method = leaf, .epsilon = 0.5}),
         "aabbb.aabbb.aabbbcaabbb.aabbbcaabbbdaabbbdaabbbc"
         "aabbbcaabbb.aabbbdaabbbdaabbbcaabbbdaabbbdaabbbd",
         {0.287555414894, 0.246536507227, 0.00589462033626, 0.0963860848195},
         89.94617142833},
        {with({.allow_single_cluster = true}),
         "bbfhdabbchdabbehdabbchdabbcfdabbggdabbcgdabbcgda"
         "bbcfdabbehdabbehdabbefdabbe.dabbcfdabbcddabbcfda",
         {0.0902596025347, 0.287555414894, 0.412393592723, 0.350958133749, 0.125356393567,
          0.162363617343, 0.025390102845, 0.507243818277},
         86.71821609553},
        {with({.epsilon = 1, .allow_single_cluster = true}),
         "bbcccabbcccabbcccabbcccabbcccabbcccabbcccabbccca"
         "bbcccabbcccabbcccabbcccabbcccabbcccabbcccabbccca",
         {0.0902596025347, 0.287555414894, 0.300496197426},
         93.08248734145},
        {with({.epsilon = 9, .allow_single_cluster = true}),
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         {0.261143159365},
         96.0},
        {with({.max_cluster_size = 30}),
         "i.ehcaijbhcaifdhcajjbhcai.becajfggca..bgca.fbgca"
         "ifbeca..dhcaifdhca.fdecaifd.caifbecaifbccajfbeca",
         {0.0902596025347, 0.412393592723, 0.350958133749, 0.125356393567, 0.162363617343,
          0.2418539933, 0.025390102845, 0.507243818277, 0.168104245653, 0.0321414041516},
         77.56291222475},
        {with({.max_cluster_size = 14}),
         "i.eh..ijah..ifdh.bjjah..i.ae.bjfgg.c..ag.c.fag.b"
         "ifae.b..dh..ifdh.c.fde.cifd..bifae.cifa..cjfae.c",
         {0.412393592723, 0.00589462033626, 0.0963860848195, 0.125356393567, 0.162363617343,
          0.2418539933, 0.025390102845, 0.507243818277, 0.168104245653, 0.0321414041516},
         61.00482978562},
        {with({}, 30),
         "aabbb.aabbb.aabbb.aabbb.aabbb.aabbb.aabbb.aabbb."
         "aabbb.aabbb.aabbb.aabbb.aabbb.aabbb.aabbb.aabbb.",
         {0.798025493283, 0.909740720862},
         78.86317225399},
        {with({.allow_single_cluster = true}, 30),
         "aabbb.aabbb.aabbb.aabbb.aabbb.aabbb.aabbb.aabbb."
         "aabbb.aabbb.aabbb.aabbb.aabbb.aabbb.aabbb.aabbb.",
         {0.798025493283, 0.909740720862},
         78.86317225399},
        {with({}, 4, 1.5),
         "bbcccabbcccabbcccabbcccabbcccabbcccabbcccabbccca"
         "bbcccabbcccabbcccabbcccabbcccabbcccabbcccabbccca",
         {0.125755267973, 0.282255097103, 0.298667411247},
         88.13382390962},
        {with({}, 4, 0.5),
         "bbfhdabbchdabbehdabbchdabbcfdabbggdabbcgdabbcgda"
         "bbcfdabbehdabbehdabbefdabbe.dabbcfdabbcddabbcfda",
         {0.0902596025347, 0.287555414894, 0.412393592723, 0.350958133749, 0.125356393567,
          0.162363617343, 0.025390102845, 0.507243818277},
         86.71821609553},
        {with({}, 60),
         "................................................"
         "................................................",
         {},
         0.0},
    };
}

TEST(Hdbscan, selects_as_the_hdbscan_package_does) {
    const auto points = drawn_by_formula();
    for (const auto& [options, expected, persistence, probability] : cases()) {
        const auto found = run_hdbscan(points, options);
        std::string label;
        for (const auto of_row : world().all_gather(found.label))
            label += of_row < 0 ? '.' : static_cast<char>('a' + of_row);
        EXPECT_EQ(label, expected);
        ASSERT_EQ(found.persistence.size(), persistence.size());
        // The package sums what lies below a cluster in f32; with epsilon that shows.
        const double tolerance = options.selection.epsilon > 0 ? 1e-7 : 1e-11;
        for (std::size_t i = 0; i < persistence.size(); ++i)
            EXPECT_NEAR(found.persistence[i], persistence[i], tolerance);
        const auto probabilities = world().all_gather(found.probability);
        EXPECT_NEAR(std::accumulate(probabilities.begin(), probabilities.end(), 0.0), probability,
                    1e-9);
    }
}

// The known rows nearest to a place, nearest first.
struct Nearest {
    std::vector<std::int64_t> row;
    std::vector<double> distance;
};

Nearest nearest(const Points& points, double x, double y, std::size_t count) {
    std::vector<std::pair<double, std::int64_t>> all;
    for (std::int64_t i = 0; i < points.rows; ++i) {
        const auto* at = &points.values[static_cast<std::size_t>(2 * i)];
        all.emplace_back(std::hypot(at[0] - x, at[1] - y), i);
    }
    std::sort(all.begin(), all.end());
    Nearest found;
    for (std::size_t i = 0; i < count; ++i) {
        found.row.push_back(all[i].second);
        found.distance.push_back(all[i].first);
    }
    return found;
}

// Given by approximate_predict of the hdbscan package: on a coarse grid, and near three rows.
TEST(Hdbscan, new_rows_join_as_in_the_hdbscan_package) {
    const auto points = drawn_by_formula();
    struct {
        std::size_t samples;
        const char* label;
        double probability;
        std::int64_t neighbours;  // row numbers, each times the number of the place from 1 on
    } const cases[] = {{1, "bbbbbbbbaaabbbbbaaaaaa..aaaaaa..bbf", 14.06667199416, 14056},
                       {2, "bbbbbbbbaaabbbbbaaaaaaccaaaaaaccbbc", 12.60521454592, 14488},
                       {3, "bbbbbbbbaaabbbbbaaaaaaccaaaaaaccbbc", 13.51644579403, 14626},
                       {4, "bbbbbbbbaaabbbbbaaaaaaccaaaaaaccbbc", 14.09928842572, 14974},
                       {5, "bbbbbbbbaaabbbbbaaaaaaccaaaaaaccbbc", 13.48103195079, 15484}};
    for (const auto& [samples, expected, probability, neighbours] : cases) {
        const auto found = run_hdbscan(points, {.min_cluster_size = 6,
                                                .min_samples = static_cast<std::int64_t>(samples),
                                                .selection = {}});
        std::vector<double> core;  // the first of the nearest is the row itself
        for (std::int64_t i = 0; i < points.rows; ++i) {
            const auto* at = &points.values[static_cast<std::size_t>(2 * i)];
            core.push_back(nearest(points, at[0], at[1], samples).distance.back());
        }
        const MembershipRule rule(found.condensed, found.selected,
                                  static_cast<std::int64_t>(samples), core);
        std::string label;
        double sum = 0;
        std::int64_t rows = 0;
        for (std::int64_t i = 0; i < 35; ++i) {
            double x = 1.1 * static_cast<double>(i % 8) - 5;
            double y = 2.79 * static_cast<double>(i / 8);
            if (i >= 32) {
                x = points.values[static_cast<std::size_t>(2 * (i - 32))] + 0.05;
                y = points.values[static_cast<std::size_t>(2 * (i - 32) + 1)] - 0.03;
            }
            const auto near = nearest(points, x, y, 2 * samples);
            const auto joined = rule.predict(near.row, near.distance);
            label += joined.label < 0 ? '.' : static_cast<char>('a' + joined.label);
            sum += joined.probability;
            rows += joined.neighbour * (i + 1);
        }
        EXPECT_EQ(label, expected) << samples;
        EXPECT_NEAR(sum, probability, 1e-9) << samples;
        EXPECT_EQ(rows, neighbours) << samples;
    }
}

// Its relative_validity_, of the same points.
TEST(RelativeValidity, is_that_of_the_hdbscan_package) {
    const auto points = drawn_by_formula();
    constexpr auto leaf = Selection::leaf;
    const std::vector<std::pair<HdbscanOptions, double>> cases = {
        {with({}, 2), 0.28020929787697646},
        {with({.method = leaf}, 2), 0.2003101500497072},
        {with({}, 4), 0.5029330770138998},
        {with({.method = leaf}, 4), 0.1451201181548165},
        {with({.epsilon = 0.8}, 4), 0.864645240073741},
        {with({}, 6), 0.6179556595697013},
        {with({}, 9), 0.864645240073741},
        {with({}, 30), 0.7559070482406341},
        {with({.epsilon = 9, .allow_single_cluster = true}, 30), 0.5},
        {with({}, 60), 0}};
    for (const auto& [options, expected] : cases) {
        const auto found = run_hdbscan(points, options);
        EXPECT_NEAR(relative_validity(found.tree, world().all_gather(found.label)), expected, 1e-12)
            << options.min_cluster_size;
    }
}

}  // namespace
}  // namespace nanoatlas::cluster
