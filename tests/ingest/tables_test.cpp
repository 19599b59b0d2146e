// Sharing out by cost, and tables of the user's.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/check.hpp"
#include "base/random.hpp"
#include "ingest/assignments.hpp"
#include "ingest/describe.hpp"
#include "ingest/sources.hpp"

namespace nanoatlas::testing {
namespace {

using ingest::Assignments;
using Values = std::vector<std::optional<std::string>>;

std::vector<image::Source> sources_of(const std::vector<std::string>& names) {
    std::vector<image::Source> sources;
    for (const auto& name : names)
        sources.push_back({.path = "data/" + name, .relative = name, .bytes = 1});
    return sources;
}

TEST(Shares, each_source_once_and_costs_even) {
    base::Random random(9);
    std::vector<image::Source> sources;
    for (int i = 0; i < 500; ++i) {
        const bool large = random.chance(0.05);
        sources.push_back({.path = "i" + std::to_string(i) + ".jpg",
                           .bytes = static_cast<std::int64_t>(
                               1000 + random.below(large ? 20'000'000 : 300'000))});
    }
    for (const int ranks : {1, 2, 7, 600}) {
        const ingest::Shares shares(sources, ranks);
        std::vector<std::int64_t> all;
        double largest = 0, least = 1e9, costliest = 0;
        for (int rank = 0; rank < ranks; ++rank) {
            const auto& share = shares.of(rank);
            all.insert(all.end(), share.begin(), share.end());
            largest = std::max(largest, shares.cost_of(rank));
            least = std::min(least, shares.cost_of(rank));
            const auto cost = [&](std::int64_t i) {
                return ingest::decoding_cost(sources[static_cast<std::size_t>(i)]);
            };
            EXPECT_TRUE(std::is_sorted(share.begin(), share.end(),
                                       [&](auto a, auto b) { return cost(a) > cost(b); }));
            if (!share.empty()) costliest = std::max(costliest, cost(share[0]));
        }
        std::sort(all.begin(), all.end());
        ASSERT_EQ(all.size(), sources.size());
        EXPECT_EQ(std::unique(all.begin(), all.end()), all.end());
        EXPECT_LE(largest - least, costliest) << ranks;
        if (ranks <= 7) {
            EXPECT_LT(largest / least, 1.01) << ranks;
        }
    }
}

TEST(Assignments, by_path_below_the_folder_or_unique_name) {
    const auto sources = sources_of({"a/x.png", "b/x.png", "b/y.png", "c/z.png"});
    const Assignments table("a/x.png,one\ndata/b/x.png,two\r\ny.png,three\nx.png,wrong\n", "t.csv",
                            "label");
    EXPECT_EQ(table.match(sources), (Values{"one", "two", "three", std::nullopt}));
}

TEST(Assignments, header_and_quotes) {
    const auto sources = sources_of({"a/x, y.png", "b.png"});
    const Assignments table(
        "id,part,filename,label\n1,test,\"a/x, y.png\",\"big \"\"grain\"\"\"\n2,train,b.png,fine\n",
        "t.csv", "label");
    EXPECT_EQ(table.match(sources), (Values{"big \"grain\"", "fine"}));
}

TEST(Assignments, a_byte_order_mark_is_no_part_of_the_header) {
    const Assignments table("\xEF\xBB\xBFlabel,path\none,a.png\n", "t.csv", "label");
    EXPECT_EQ(table.match(sources_of({"a.png"})), (Values{"one"}));
}

TEST(Assignments, mistakes_are_named) {
    EXPECT_THROW(Assignments("path,part\na,b\n", "t.csv", "label"), InputError);
    EXPECT_THROW(Assignments("a.png\n", "t.csv", "label"), InputError);
    EXPECT_THROW(Assignments("path,label\na.png\n", "t.csv", "label"), InputError);
    const Assignments strangers("q.png,1\n", "t.csv", "label");
    EXPECT_THROW(strangers.match(sources_of({"a.png"})), InputError);
}

TEST(DescribeOptions, words) {
    EXPECT_NO_THROW(ingest::check({}));
    EXPECT_NO_THROW(ingest::check({.labels = "csv:a", .groups = "csv:b", .parts = "csv:c"}));
    EXPECT_THROW(ingest::check({.labels = "folder"}), InputError);
    EXPECT_THROW(ingest::check({.groups = "none"}), InputError);
    EXPECT_THROW(ingest::check({.parts = "half"}), InputError);
}

}  // namespace
}  // namespace nanoatlas::testing
