// HDBSCAN over ranks: its tree against the plain one, its clusters against what the hdbscan package
// gives.
#include "cluster/hdbscan/hdbscan.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "base/check.hpp"
#include "cluster/hdbscan/membership.hpp"
#include "cluster/hdbscan/predict.hpp"
#include "kernels/reference/spanning_tree.hpp"
#include "tests/cluster/points.hpp"
#include "tests/kokkos_environment.hpp"
#include "tests/mpi_test.hpp"

namespace nanoatlas::cluster {
namespace {

using testing::Points;
using testing::world;

Hdbscan run(const Points& points, const HdbscanOptions& options) {
    base::PhaseTimes phases;
    return hdbscan(points.block(world()), options, phases, world());
}

Points points_of(std::int64_t rows, std::int64_t columns,
                 const std::function<double(std::int64_t row, std::int64_t column)>& value) {
    Points points{rows, columns, {}};
    for (std::int64_t i = 0; i < rows; ++i)
        for (std::int64_t c = 0; c < columns; ++c) points.values.push_back(value(i, c));
    return points;
}

// The same tree, edge by edge, and so the same labels, on every rank.
void expect_like_reference(const Points& points, const HdbscanOptions& options,
                           const std::string& what) {
    const auto samples = options.min_samples > 0 ? options.min_samples : options.min_cluster_size;
    const auto expected = kernels::reference::spanning_tree(
        points.values, static_cast<std::size_t>(points.columns),
        static_cast<std::size_t>(std::min(samples, points.rows - 1)), options.alpha);
    const auto found = run(points, options);
    ASSERT_EQ(found.tree.size(), expected.size()) << what;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        ASSERT_EQ(found.tree[i].low, expected[i].low) << what << ", edge " << i;
        ASSERT_EQ(found.tree[i].high, expected[i].high) << what << ", edge " << i;
        ASSERT_NEAR(found.tree[i].weight, expected[i].weight, 1e-13 * expected[i].weight) << what;
    }
    const auto condensed = condense(single_linkage(expected), options.min_cluster_size);
    const auto selected = select_clusters(condensed, options.selection);
    ASSERT_EQ(world().all_gather(found.label), labels(condensed, selected, options.selection))
        << what;
}

TEST(SpanningTree, agrees_with_reference_on_random_shapes) {
    for (std::uint64_t trial = 0; trial < 24; ++trial) {
        base::Random random(21, trial);
        const auto rows = static_cast<std::int64_t>(2 + random.below(300));
        const auto columns = static_cast<std::int64_t>(1 + random.below(40));
        const auto samples = static_cast<std::int64_t>(1 + random.below(20));
        const auto points =
            testing::draw_clouds(rows, columns, 1 + static_cast<int>(random.below(9)), trial);
        const double alpha = std::array{1.0, 0.6, 1.7}[trial % 3];
        expect_like_reference(
            points,
            {.min_cluster_size = 2, .min_samples = samples, .alpha = alpha, .selection = {}},
            fmt::format("{} x {}, samples {}, alpha {}", rows, columns, samples, alpha));
    }
}

// Lists end within the clouds: what joins these must be searched, between planes.
TEST(SpanningTree, joins_far_clouds_of_many_rows) {
    for (const std::int64_t columns : {2, 13, 50}) {
        const auto points = points_of(1000, columns, [&](std::int64_t i, std::int64_t c) {
            base::Random cloud(22, i % 10, c), row(23, i, c);
            return 30 * cloud.normal() + (0.5 + 0.1 * static_cast<double>(i % 10)) * row.normal();
        });
        expect_like_reference(points, {.min_cluster_size = 10, .selection = {}},
                              fmt::format("{} columns", columns));
    }
}

TEST(SpanningTree, equal_weights_go_by_distance_and_rows) {
    base::Random random(24);
    for (const std::uint64_t side : {3, 6, 12}) {
        const auto points =
            points_of(250, 2, [&](auto, auto) { return static_cast<double>(random.below(side)); });
        for (const std::int64_t samples : {1, 4, 30})
            expect_like_reference(points,
                                  {.min_cluster_size = 5, .min_samples = samples, .selection = {}},
                                  fmt::format("side {}, samples {}", side, samples));
    }
}

TEST(SpanningTree, awkward_shapes) {
    base::Random random(25);
    const HdbscanOptions options{.min_cluster_size = 5, .selection = {}};
    expect_like_reference(
        points_of(200, 3, [](auto i, auto c) { return static_cast<double>(i * (c + 1)); }), options,
        "on a line");
    expect_like_reference(
        points_of(200, 4, [&](auto, auto c) { return c % 2 == 0 ? 7.0 : random.normal(); }),
        options, "constant columns");
    expect_like_reference(points_of(300, 5, [&](auto, auto) { return 1e8 + random.normal(); }),
                          options, "far from zero");
    expect_like_reference(
        points_of(400, 3,
                  [&](auto i, auto) { return (i % 2 == 0 ? -1.0 : 1.0) + 1e-9 * random.normal(); }),
        options, "clumps that f32 blurs");
    expect_like_reference(points_of(150, 2,
                                    [&](auto i, auto) {
                                        return i % 3 == 0 ? 1e-310 * static_cast<double>(i)
                                                          : random.normal();
                                    }),
                          options, "denormals");
    expect_like_reference(points_of(6, 2, [&](auto, auto) { return random.normal(); }), options,
                          "one row more than samples");
    expect_like_reference(points_of(2, 1, [](auto i, auto) { return static_cast<double>(i); }),
                          {.min_cluster_size = 2, .selection = {}}, "two rows");
}

TEST(SpanningTree, repeated_rows) {
    base::Random random(26);
    std::vector<double> place(40);
    for (auto& value : place) value = random.normal();
    for (const std::int64_t different : {1, 3, 20}) {
        const auto points = points_of(120, 2, [&](auto i, auto c) {
            return place[static_cast<std::size_t>(2 * (i * i % different) + c)];
        });
        for (const std::int64_t samples : {1, 8, 70})
            expect_like_reference(points,
                                  {.min_cluster_size = 6, .min_samples = samples, .selection = {}},
                                  fmt::format("{} different, samples {}", different, samples));
    }
}

// As hdbscan does: rows that coincide leave their cluster at infinite density.
TEST(Hdbscan, coinciding_rows_are_certain_members) {
    const auto points =
        points_of(29, 2, [](auto i, auto) { return i < 10 ? 1.0 : (i < 22 ? 5.0 : 9.0); });
    const auto found = run(points, {.min_cluster_size = 5, .selection = {}});
    EXPECT_EQ(found.persistence, std::vector<double>(3, 1.0));
    const auto label = world().all_gather(found.label);
    EXPECT_NE(label[0], label[10]);
    EXPECT_NE(label[10], label[22]);
    for (const double value : found.probability) EXPECT_EQ(value, 1);
    for (const double value : found.outlier_score) EXPECT_EQ(value, 0);
}

TEST(Hdbscan, rows_beside_coinciding_ones_are_outliers) {
    const auto points = points_of(24, 1, [](auto i, auto) {
        return i < 10 ? 1.0 : (i < 20 ? 5.0 : 5.0 + 0.1 * static_cast<double>(i - 19));
    });
    const auto found = run(points, {.min_cluster_size = 5, .selection = {}});
    const auto label = world().all_gather(found.label);
    const auto probability = world().all_gather(found.probability);
    const auto score = world().all_gather(found.outlier_score);
    for (std::size_t i = 20; i < 24; ++i) {
        EXPECT_EQ(label[i], label[10]);
        EXPECT_EQ(probability[i], 0);
        EXPECT_EQ(score[i], 1);
    }
}

TEST(Hdbscan, all_rows_equal_are_noise_or_one_cluster) {
    const auto points = points_of(50, 3, [](auto, auto) { return 2.5; });
    auto found = run(points, {.min_cluster_size = 5, .selection = {}});
    EXPECT_TRUE(std::ranges::all_of(found.label, [](auto label) { return label == -1; }));
    found = run(points, {.min_cluster_size = 5, .selection = {.allow_single_cluster = true}});
    EXPECT_TRUE(std::ranges::all_of(found.label, [](auto label) { return label == 0; }));
    EXPECT_TRUE(std::ranges::all_of(found.probability, [](double value) { return value == 1; }));
}

/// A file of ../shared is not needed: any program can draw these 96 points.
Points drawn_by_formula() {
    constexpr double middle[][2] = {{0, 0}, {1.2, 0.3}, {6, 5}, {6.9, 5.2}, {6.3, 6.1}, {-5, 7}};
    constexpr double width[] = {0.5, 0.4, 0.45, 0.35, 0.3, 1.5};
    std::uint64_t state = 8;
    const auto bell = [&] {
        double sum = 0;
        for (int i = 0; i < 4; ++i) {
            state = state * 6364136223846793005ULL + 1442695040888963407ULL;
            sum += static_cast<double>(state >> 40) * 0x1p-24;
        }
        return sum - 2;
    };
    return points_of(96, 2, [&](std::int64_t i, std::int64_t c) {
        const auto cloud = static_cast<std::size_t>(i * 7 % 6);
        return middle[cloud][c] + width[cloud] * bell() * 1.5;
    });
}

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
        const auto found = run(points, options);
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
        const auto found = run(points, {.min_cluster_size = 6,
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

void expect_refused(const HdbscanOptions& options, const std::string& word) {
    const auto points = points_of(10, 2, [](auto i, auto c) { return static_cast<double>(i + c); });
    try {
        run(points, options);
        ADD_FAILURE() << "accepted; expected to hear of " << word;
    } catch (const InputError& error) {
        EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
    }
}

TEST(Hdbscan, refuses_what_makes_no_sense) {
    expect_refused({.min_cluster_size = 1, .selection = {}}, "--min-cluster-size is 1");
    expect_refused({.min_cluster_size = 11, .selection = {}}, "10 rows");
    expect_refused({.min_samples = -1, .selection = {}}, "--min-samples");
    expect_refused({.alpha = 0, .selection = {}}, "--alpha");
    expect_refused({.selection = {.epsilon = -0.5}}, "--epsilon");
    expect_refused({.selection = {.epsilon = std::nan("")}}, "--epsilon");
    expect_refused({.selection = {.max_cluster_size = -3}}, "--max-cluster-size");
}

}  // namespace
}  // namespace nanoatlas::cluster
