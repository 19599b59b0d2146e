// What a cluster is about: the values that are commoner in it than chance allows.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "atlas/facts.hpp"

namespace nanoatlas::atlas {

/// A value of a category, of the rows where the category is known.
struct TellingValue {
    std::string field, value;
    std::int64_t count = 0, known = 0;  ///< members that have it, members whose value is known
    std::int64_t corpus_count = 0, corpus_known = 0;
    double log_chance = 0, log_rate = 0;  ///< natural logs: of the test, and adjusted for all tests

    double share() const { return static_cast<double>(count) / static_cast<double>(known); }
    double corpus_share() const {
        return static_cast<double>(corpus_count) / static_cast<double>(corpus_known);
    }
    double lift() const { return share() / corpus_share(); }
};

/// A quantity whose values differ from those of all other images.
struct TellingQuantity {
    std::string field, unit;
    double median = 0, median_corpus = 0;
    double above = 0;  ///< probability that a member has more than another image
    double log_chance = 0, log_rate = 0;
};

struct Portrait {
    std::vector<TellingValue> labels;         ///< all that occur, the commonest first
    std::vector<TellingValue> values;         ///< significant, the least likely by chance first
    std::vector<TellingQuantity> quantities;  ///< the same
    /// The value that all members share, where more than one occurs in the corpus and chance would
    /// hardly make it so; empty otherwise.
    std::string only_session, only_date, only_info_bar;
};

/// Values below this false discovery rate are telling.
inline constexpr double telling_rate = 0.01;
/// A value that fewer images of the corpus have is not tested.
inline constexpr std::int64_t least_images_of_a_value = 3;

/// Shares by the hypergeometric distribution, one-sided; quantities by Mann and Whitney's test. All
/// tests of all clusters are adjusted together (Benjamini, Hochberg).
///
/// labels   classes as a category, -1 unlabelled
/// cluster  [N], -1: in no cluster (these rows count for the corpus alone)
std::vector<Portrait> portraits(const Facts& facts, const Category& labels,
                                const std::vector<std::int32_t>& cluster, int clusters);

}  // namespace nanoatlas::atlas
