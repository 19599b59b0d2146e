// What clusters are about, on a corpus small enough to count by hand.
#include "atlas/portrait.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "atlas/portrait_page.hpp"
#include "cluster/significance.hpp"

namespace nanoatlas::atlas {
namespace {

// 90 images in three clusters of 30, taken turn by turn: cluster 0 is of detector A, session 0 and
// a bar of 60 rows alone; in the others everything alternates. Pixel sizes of cluster 1 are larger.
struct Collection {
    std::vector<std::int32_t> cluster;
    Category label{"label", {"rods", "spheres"}, {}};
    Facts facts;

    Collection() {
        Category detector{"detector", {"A", "B"}, {}};
        Quantity pixel_size{"pixel size", "m", {}};
        facts.session = {"session", {"first", "second", "third"}, {}};
        facts.info_bar = {"info bar", {"60 rows", "none"}, {}};
        for (std::int32_t i = 0; i < 90; ++i) {
            const auto k = i % 3, turn = (i / 3) % 2;
            cluster.push_back(k);
            label.code.push_back(i % 10 == 9 ? -1 : k == 0 ? 0 : turn);
            detector.code.push_back(k == 0 ? 0 : turn);
            facts.session.code.push_back(k == 0 ? 0 : 1 + turn);
            facts.info_bar.code.push_back(k == 0 ? 0 : turn);
            pixel_size.value.push_back(i % 7 == 0 ? std::nan("")
                                                  : (k == 1 ? 5e-8 : 1e-8) + i * 1e-10);
        }
        facts.categories = {detector};
        facts.quantities = {pixel_size};
    }
    std::vector<Portrait> draw(int clusters = 3) const {
        return portraits(facts, label, cluster, clusters);
    }
};

TEST(Portrait, counts_shares_lift_and_chance) {
    const auto drawn = Collection().draw();
    const auto value = std::ranges::find(drawn[0].values, "detector", &TellingValue::field);
    ASSERT_NE(value, drawn[0].values.end());
    EXPECT_EQ(value->value, "A");
    EXPECT_EQ(value->count, 30);
    EXPECT_EQ(value->known, 30);
    EXPECT_EQ(value->corpus_count, 60);
    EXPECT_DOUBLE_EQ(value->lift(), 1.5);
    EXPECT_EQ(value->log_chance, cluster::log_chance_of_as_many(30, 30, 60, 90));
    EXPECT_GE(value->log_rate, value->log_chance);
    // Its session is the less likely by chance: 30 of 30 against 30 of 90.
    EXPECT_EQ(drawn[0].values.front().field, "session");
    EXPECT_DOUBLE_EQ(drawn[0].values.front().lift(), 3);
}

TEST(Portrait, flags_one_session_and_one_info_bar) {
    const auto drawn = Collection().draw();
    EXPECT_EQ(drawn[0].only_session, "first");
    EXPECT_EQ(drawn[0].only_info_bar, "60 rows");
    EXPECT_EQ(warning_of(drawn[0]), "one session, one info bar");
    for (const std::size_t k : {1, 2}) EXPECT_EQ(warning_of(drawn[k]), "");
}

TEST(Portrait, flags_one_day) {
    Collection dated;
    dated.facts.categories[0].name = date_name;
    const auto drawn = dated.draw();
    EXPECT_EQ(drawn[0].only_date, "A");
    EXPECT_EQ(warning_of(drawn[0]), "one session, one day, one info bar");
    EXPECT_EQ(drawn[1].only_date, "");
}

TEST(Portrait, does_not_flag_what_is_so_everywhere_or_by_chance) {
    Collection one;
    std::ranges::fill(one.facts.session.code, 0);
    one.facts.info_bar.code[0] = -1;  // not all of cluster 0 are known to have it
    const auto drawn = one.draw();
    EXPECT_EQ(warning_of(drawn[0]), "");
    Collection pair;  // two rows may share a session of half the corpus by chance
    pair.cluster[1] = pair.cluster[7] = 3;
    EXPECT_EQ(warning_of(pair.draw(4)[3]), "");
}

TEST(Portrait, quantities_by_their_ranks) {
    const auto drawn = Collection().draw();
    ASSERT_EQ(drawn[1].quantities.size(), 1U);
    const auto& larger = drawn[1].quantities[0];
    EXPECT_EQ(larger.above, 1);
    EXPECT_GT(larger.median, 5e-8);
    EXPECT_LT(larger.median_corpus, 2e-8);
    ASSERT_EQ(drawn[0].quantities.size(), 1U);
    EXPECT_LT(drawn[0].quantities[0].above, 0.5);
}

TEST(Portrait, labels_are_all_there_whether_telling_or_not) {
    const auto drawn = Collection().draw();
    ASSERT_EQ(drawn[0].labels.size(), 1U);
    EXPECT_EQ(drawn[0].labels[0].known, 27);
    EXPECT_EQ(drawn[0].labels[0].count, 27);
    ASSERT_EQ(drawn[2].labels.size(), 2U);
    EXPECT_GE(drawn[2].labels[0].count, drawn[2].labels[1].count);
    EXPECT_TRUE(std::ranges::none_of(drawn[2].values,
                                     [](const auto& value) { return value.field == "label"; }));
}

TEST(Portrait, noise_counts_for_the_corpus_alone) {
    Collection noisy;
    for (auto& k : noisy.cluster) k = k == 2 ? -1 : k;
    const auto drawn = noisy.draw(2);
    ASSERT_FALSE(drawn[0].values.empty());
    EXPECT_EQ(drawn[0].values.front().corpus_known, 90);
}

TEST(Portrait, chance_is_written_as_people_do) {
    EXPECT_EQ(chance_text(0), "1");
    EXPECT_EQ(chance_text(std::log(0.004)), "0.004");
    EXPECT_EQ(chance_text(std::log(3.2e-12)), "3 × 10<sup>−12</sup>");
    EXPECT_EQ(chance_text(std::log(9.7e-12)), "1 × 10<sup>−11</sup>");
    EXPECT_EQ(chance_text(-HUGE_VAL), "0");
}

}  // namespace
}  // namespace nanoatlas::atlas
