// Trees from lists of a file: the same to the bit as from a search.
#include "cluster/hdbscan/reachability.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/check.hpp"
#include "store/provenance.hpp"
#include "tests/cluster/hdbscan_points.hpp"
#include "tests/temporary_folder.hpp"

namespace nanoatlas::cluster {
namespace {

using testing::Points;
using testing::points_of;
using testing::world;

/// As the job neighbours writes them.
std::string write_lists(const testing::TemporaryFolder& folder, const Points& points, int k,
                        Metric metric = Metric::euclidean) {
    auto matrix = points.block(world());
    const ListOrigin origin{metric, matrix_hash(matrix, world())};
    if (metric == Metric::cosine) matrix = unit_rows(std::move(matrix), world());
    store::ArtefactWriter writer(folder / "n.h5", "neighbours", world());
    write_neighbours(writer, find_neighbours(matrix, k, world()), origin);
    writer.publish(store::Provenance(base::OptionTable("test", "lists"), world()));
    return folder / "n.h5";
}

SpanningTree tree_of(store::Matrix<double> matrix, std::int64_t samples,
                     const std::string& lists = "") {
    base::PhaseTimes phases;
    return Reachability(std::move(matrix), samples, lists, phases, world()).tree(samples, 1.2);
}

void expect_same(const SpanningTree& found, const SpanningTree& expected, const std::string& what) {
    ASSERT_EQ(found.size(), expected.size()) << what;
    for (std::size_t i = 0; i < found.size(); ++i) {
        ASSERT_EQ(found[i].weight, expected[i].weight) << what << ", edge " << i;
        ASSERT_EQ(found[i].distance, expected[i].distance) << what << ", edge " << i;
        ASSERT_EQ(found[i].low, expected[i].low) << what << ", edge " << i;
        ASSERT_EQ(found[i].high, expected[i].high) << what << ", edge " << i;
    }
}

TEST(Reachability, takes_lists_of_any_length_that_is_enough) {
    for (std::uint64_t trial = 0; trial < 3; ++trial) {
        base::Random random(41, trial);
        const auto rows = static_cast<std::int64_t>(60 + random.below(300));
        const auto columns = static_cast<std::int64_t>(1 + random.below(30));
        const auto samples = static_cast<std::int64_t>(1 + random.below(12));
        const auto points = testing::draw_clouds(rows, columns, 4, trial);
        for (const int k : {static_cast<int>(samples), static_cast<int>(samples) + 1, 50}) {
            const testing::TemporaryFolder folder;
            expect_same(tree_of(points.block(world()), samples, write_lists(folder, points, k)),
                        tree_of(points.block(world()), samples),
                        fmt::format("{} x {}, samples {}, k {}", rows, columns, samples, k));
        }
    }
}

TEST(Reachability, repeated_rows_are_taken_out_of_the_lists) {
    const auto points = points_of(150, 2, [](std::int64_t i, std::int64_t c) {
        base::Random random(42, i % 60, c);
        return random.normal();
    });
    for (const int k : {4, 12, 149}) {  // the first leaves too few: they are found after all
        const testing::TemporaryFolder folder;
        expect_same(tree_of(points.block(world()), 4, write_lists(folder, points, k)),
                    tree_of(points.block(world()), 4), fmt::format("k {}", k));
    }
}

TEST(Reachability, goes_by_the_metric_of_the_lists) {
    const auto points = testing::draw_clouds(120, 3, 3, 43);
    const testing::TemporaryFolder folder;
    expect_same(tree_of(points.block(world()), 5, write_lists(folder, points, 8, Metric::cosine)),
                tree_of(unit_rows(points.block(world()), world()), 5), "cosine");
}

void expect_refused(const Points& points, std::int64_t samples, const std::string& lists,
                    const std::string& words) {
    try {
        tree_of(points.block(world()), samples, lists);
        ADD_FAILURE() << "accepted; expected to hear of " << words;
    } catch (const InputError& error) {
        EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
    }
}

TEST(Reachability, refuses_lists_that_do_not_serve) {
    const testing::TemporaryFolder folder;
    const auto points = testing::draw_clouds(80, 2, 3, 44);
    const auto lists = write_lists(folder, points, 6);
    expect_refused(points, 7, lists, "run neighbours --k 7");
    auto other = points;
    other.values[5] += 1e-9;
    expect_refused(other, 3, lists, "another matrix");
    expect_refused(points, 3, folder / "missing.h5", "missing.h5");
}

TEST(Reachability, needs_no_lists_where_all_rows_are_equal) {
    const auto points = points_of(9, 2, [](auto, auto) { return 1.5; });
    const testing::TemporaryFolder folder;
    expect_same(tree_of(points.block(world()), 3, write_lists(folder, points, 3)),
                tree_of(points.block(world()), 3), "equal rows");
}

}  // namespace
}  // namespace nanoatlas::cluster
