// Classes with paths for names, as a tree.
#include "nn/taxonomy.hpp"

#include <gtest/gtest.h>

namespace nanoatlas::nn {
namespace {

using Names = std::vector<std::string>;
using Labels = std::vector<std::int32_t>;

const Names leaves = {"Tips", "Nanowires/Forest/crust", "Nanowires 2", "Nanowires/Single",
                      "Nanowires/Forest/bare"};

TEST(Taxonomy, labels_are_leaves_then_inner_nodes) {
    const Taxonomy taxonomy(leaves);
    EXPECT_EQ(taxonomy.leaves(), 5);
    EXPECT_EQ(taxonomy.depth(), 3);
    EXPECT_EQ(taxonomy.names(),
              (Names{"Tips", "Nanowires/Forest/crust", "Nanowires 2", "Nanowires/Single",
                     "Nanowires/Forest/bare", "Nanowires", "Nanowires/Forest"}));
    EXPECT_EQ(taxonomy.inner(), (InnerNodes{{1, 3, 4}, {1, 4}}));
    EXPECT_EQ(taxonomy.depth_of(6), 2);
}

TEST(Taxonomy, a_name_is_found_or_the_nearest_above_it) {
    const Taxonomy taxonomy(leaves);
    EXPECT_EQ(taxonomy.find("Nanowires/Single"), 3);
    EXPECT_EQ(taxonomy.find("Nanowires/Forest"), 6);
    EXPECT_EQ(taxonomy.find("Nanowires/Forest/tilted"), 6);
    EXPECT_EQ(taxonomy.find("Tips/sharp/old"), 0);
    EXPECT_FALSE(taxonomy.find("Nanowire"));
    EXPECT_FALSE(taxonomy.find("Powder/Tips"));
    EXPECT_FALSE(taxonomy.find(""));
}

TEST(Taxonomy, a_label_lies_in_the_nodes_above_it) {
    const Taxonomy taxonomy(leaves);
    EXPECT_TRUE(taxonomy.lies_in(1, 6));
    EXPECT_TRUE(taxonomy.lies_in(1, 5));
    EXPECT_TRUE(taxonomy.lies_in(1, 1));
    EXPECT_FALSE(taxonomy.lies_in(3, 6));
    EXPECT_FALSE(taxonomy.lies_in(5, 1));
}

TEST(Taxonomy, levels_cut_the_tree) {
    const Taxonomy taxonomy(leaves);
    const auto first = taxonomy.level(1);
    EXPECT_EQ(first.names, (Names{"Tips", "Nanowires", "Nanowires 2"}));
    EXPECT_EQ(first.of_label, (Labels{0, 1, 2, 1, 1, 1, 1}));
    const auto second = taxonomy.level(2);
    EXPECT_EQ(second.names, (Names{"Tips", "Nanowires/Forest", "Nanowires 2", "Nanowires/Single"}));
    EXPECT_EQ(second.of_label, (Labels{0, 1, 2, 3, 1, -1, 1}));
    const auto last = taxonomy.level(3);
    EXPECT_EQ(last.names, leaves);
    EXPECT_EQ(last.of_label, (Labels{0, 1, 2, 3, 4, -1, -1}));
    const std::vector<float> probabilities = {0.125F, 0.25F, 0.0625F, 0.5F, 0.0625F};
    EXPECT_EQ(first.probabilities(probabilities), (std::vector<float>{0.125F, 0.8125F, 0.0625F}));
    EXPECT_EQ(node_probability(probabilities, taxonomy.inner()[1]), 0.3125F);
}

TEST(Taxonomy, names_without_paths_are_one_level) {
    const Names names = {"b", "a"};
    const Taxonomy taxonomy(names);
    EXPECT_EQ(taxonomy.depth(), 1);
    EXPECT_TRUE(taxonomy.inner().empty());
    EXPECT_EQ(taxonomy.level(1).names, names);
}

TEST(Taxonomy, a_leaf_with_others_below_it_stays_one) {
    const Names names = {"a", "a/x", "a/y"};
    const Taxonomy taxonomy(names);
    EXPECT_EQ(taxonomy.find("a"), 0);
    EXPECT_EQ(taxonomy.inner(), (InnerNodes{{0, 1, 2}}));
    EXPECT_EQ(taxonomy.level(1).names, Names{"a"});
    EXPECT_EQ(taxonomy.level(2).names, names);
}

TEST(Taxonomy, leaves_of_all_names) {
    EXPECT_EQ(leaf_names(Names{"a", "a/x", "b", "a/x/1", "b", "a2"}), (Names{"b", "a/x/1", "a2"}));
    EXPECT_EQ(leaf_names(Names{"9", "10"}), (Names{"9", "10"}));
}

TEST(Taxonomy, long_lists_of_names_are_cut) {
    EXPECT_EQ(list_names(Names{"a", "b"}), "'a', 'b'");
    EXPECT_TRUE(list_names(Names(13, "c")).ends_with(", 'c' and 3 more"));
}

}  // namespace
}  // namespace nanoatlas::nn
