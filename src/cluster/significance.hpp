// Whether what a cluster has in common is more than chance: tests of shares and of ranks.
//
// Probabilities are natural logarithms, since those of large clusters leave the range of f64.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace nanoatlas::cluster {

/// log P(X >= found): of `rows` rows `marked` have a value, a cluster of `drawn` rows has it
/// `found` times; X is what it would have if its rows were drawn blindly (hypergeometric), so this
/// is Fisher's exact test, one-sided. As scipy.stats.hypergeom.logsf(found - 1, rows, marked,
/// drawn), to about 1e-9 for 1e6 rows.
double log_chance_of_as_many(std::int64_t found, std::int64_t drawn, std::int64_t marked,
                             std::int64_t rows);

/// Ranks of the finite values from 1 up, equal ones share the mean of theirs; NaN for the others.
struct Ranks {
    std::vector<double> rank;
    std::int64_t count = 0;  ///< of finite values
    double ties = 0;         ///< sum of t^3 - t over groups of t equal values
};
Ranks rank_values(std::span<const double> values);

struct RankTest {
    double above = 0;       ///< P(a member's value is above another's) + P(equal) / 2
    double log_chance = 0;  ///< two-sided
};
/// Whether members' values are higher or lower than the others': Mann and Whitney, Ann. Math.
/// Statist. 18 (1947) 50, by the normal approximation with corrections for ties and continuity, as
/// scipy.stats.mannwhitneyu(members, others, method="asymptotic").
///
/// rank_sum  of the members' ranks; members: how many of them have a rank
/// returns   above 0.5 and chance 1 where one side is empty or all values are equal
RankTest rank_test(double rank_sum, std::int64_t members, const Ranks& ranks);

/// For many tests at once: log of the least false discovery rate at which each would count.
/// Benjamini, Hochberg, J. R. Statist. Soc. B 57 (1995) 289; as
/// scipy.stats.false_discovery_control.
std::vector<double> false_discovery_rates(std::span<const double> log_chances);

}  // namespace nanoatlas::cluster
