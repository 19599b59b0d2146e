#include "cluster/significance.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

namespace nanoatlas::cluster {
namespace {

double log_choose(double n, double k) {
    return std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1);
}

/// The hypergeometric distribution of what `drawn` rows have.
struct Drawing {
    double drawn, marked, rows;

    double least() const { return std::max(0.0, drawn + marked - rows); }
    double most() const { return std::min(drawn, marked); }
    double log_probability(double found) const {
        return log_choose(marked, found) + log_choose(rows - marked, drawn - found) -
               log_choose(rows, drawn);
    }
    /// P(found + 1) / P(found)
    double step_up(double found) const {
        return (marked - found) * (drawn - found) /
               ((found + 1) * (rows - marked - drawn + found + 1));
    }
    // Both are called away from the mode, so the terms fall.
    double log_from(double found) const {
        double sum = 0, term = 1;
        for (double x = found; x <= most() && term > 1e-18 * sum; ++x) {
            sum += term;
            term *= step_up(x);
        }
        return log_probability(found) + std::log(sum);
    }
    double log_up_to(double found) const {
        double sum = 0, term = 1;
        for (double x = found; x >= least() && term > 1e-18 * sum; --x) {
            sum += term;
            term /= step_up(x - 1);
        }
        return log_probability(found) + std::log(sum);
    }
};

/// log of the upper tail of the standard normal distribution, z >= 0.
double log_normal_tail(double z) {
    if (z < 25) return std::log(std::erfc(z / std::numbers::sqrt2) / 2);
    const double inverse = 1 / (z * z);  // the asymptotic series, 1e-11 at 25
    return -z * z / 2 - std::log(z * std::sqrt(2 * std::numbers::pi)) +
           std::log1p(-inverse * (1 - 3 * inverse * (1 - 5 * inverse * (1 - 7 * inverse))));
}

}  // namespace

double log_chance_of_as_many(std::int64_t found, std::int64_t drawn, std::int64_t marked,
                             std::int64_t rows) {
    const Drawing drawing{static_cast<double>(drawn), static_cast<double>(marked),
                          static_cast<double>(rows)};
    const auto x = static_cast<double>(found);
    if (x <= drawing.least()) return 0;
    if (x > drawing.most()) return -std::numeric_limits<double>::infinity();
    if (x > drawing.drawn * drawing.marked / drawing.rows)
        return std::min(0.0, drawing.log_from(x));
    return std::log1p(-std::min(1.0, std::exp(drawing.log_up_to(x - 1))));
}

Ranks rank_values(std::span<const double> values) {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < values.size(); ++i)
        if (std::isfinite(values[i])) order.push_back(i);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
    Ranks ranks;
    ranks.count = std::ssize(order);
    ranks.rank.assign(values.size(), std::numeric_limits<double>::quiet_NaN());
    for (std::size_t first = 0, end = 0; first < order.size(); first = end) {
        while (end < order.size() && values[order[end]] == values[order[first]]) ++end;
        const auto equal = static_cast<double>(end - first);
        for (auto i = first; i < end; ++i)
            ranks.rank[order[i]] = static_cast<double>(first) + (equal + 1) / 2;
        ranks.ties += equal * equal * equal - equal;
    }
    return ranks;
}

RankTest rank_test(double rank_sum, std::int64_t members, const Ranks& ranks) {
    const auto a = static_cast<double>(members), all = static_cast<double>(ranks.count);
    const double b = all - a;
    if (a == 0 || b == 0) return {.above = 0.5, .log_chance = 0};
    const double wins = rank_sum - a * (a + 1) / 2;
    const double spread = std::sqrt(a * b / 12 * (all + 1 - ranks.ties / (all * (all - 1))));
    RankTest test{.above = wins / (a * b), .log_chance = 0};
    const double excess = std::max(wins, a * b - wins) - a * b / 2 - 0.5;
    if (spread > 0 && excess > 0)
        test.log_chance = std::min(0.0, std::numbers::ln2 + log_normal_tail(excess / spread));
    return test;
}

std::vector<double> false_discovery_rates(std::span<const double> log_chances) {
    std::vector<std::size_t> order(log_chances.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return log_chances[a] < log_chances[b]; });
    std::vector<double> rates(log_chances.size());
    double lowest = 0;
    for (std::size_t i = order.size(); i-- > 0;) {
        lowest = std::min(
            lowest, log_chances[order[i]] +
                        std::log(static_cast<double>(order.size()) / static_cast<double>(i + 1)));
        rates[order[i]] = lowest;
    }
    return rates;
}

}  // namespace nanoatlas::cluster
