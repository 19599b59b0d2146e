#include "cluster/scores.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "base/check.hpp"

namespace nanoatlas::cluster {
namespace {

/// Labels as numbers from 0, in ascending order of the labels.
std::vector<std::int64_t> numbered(std::span<const std::int64_t> labels,
                                   std::vector<std::int64_t>& sizes) {
    std::vector<std::int64_t> distinct(labels.begin(), labels.end());
    std::sort(distinct.begin(), distinct.end());
    distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
    sizes.assign(distinct.size(), 0);
    std::vector<std::int64_t> numbers;
    numbers.reserve(labels.size());
    for (const auto label : labels) {
        numbers.push_back(std::lower_bound(distinct.begin(), distinct.end(), label) -
                          distinct.begin());
        ++sizes[static_cast<std::size_t>(numbers.back())];
    }
    return numbers;
}

double entropy(const std::vector<std::int64_t>& sizes, double rows) {
    double sum = 0;
    for (const auto size : sizes)
        sum -= static_cast<double>(size) / rows * std::log(static_cast<double>(size) / rows);
    return sizes.size() == 1 ? 0 : sum;
}

double mutual_information(const Contingency& table) {
    const auto rows = static_cast<double>(table.rows);
    double sum = 0;
    for (const auto& [cluster, truth, count] : table.cells) {
        const auto a = static_cast<double>(table.cluster_sizes[static_cast<std::size_t>(cluster)]);
        const auto b = static_cast<double>(table.class_sizes[static_cast<std::size_t>(truth)]);
        const auto n = static_cast<double>(count);
        sum += n / rows * std::log(n * rows / (a * b));
    }
    return table.cluster_sizes.size() == 1 || table.class_sizes.size() == 1 ? 0
                                                                            : std::max(sum, 0.0);
}

/// Sum over n of P(n) n/N log(N n / (a b)), P hypergeometric: the expected part of one cluster of a
/// rows and one class of b rows. P is walked from its mode and divided by its sum, so that nothing
/// overflows and no gamma function is needed.
double expected_part(double a, double b, double rows) {
    const double lowest = std::max(0.0, a + b - rows), highest = std::min(a, b);
    const double mode = std::clamp(std::floor((a + 1) * (b + 1) / (rows + 2)), lowest, highest);
    constexpr double negligible = 1e-22;  // of the weight at the mode
    double weights = 0, sum = 0;
    const auto add = [&](double n, double weight) {
        weights += weight;
        if (n > 0) sum += weight * n / rows * std::log(rows / a * n / b);
    };
    double weight = 1;
    for (double n = mode; n <= highest && weight > negligible; ++n) {
        add(n, weight);
        weight *= (a - n) * (b - n) / ((n + 1) * (rows - a - b + n + 1));
    }
    weight = 1;
    for (double n = mode; n > lowest && weight > negligible; --n) {
        weight *= n * (rows - a - b + n) / ((a - n + 1) * (b - n + 1));
        add(n - 1, weight);
    }
    return sum / weights;
}

/// Each size that occurs, and how often.
std::vector<std::pair<double, double>> counted(std::span<const std::int64_t> sizes) {
    std::map<std::int64_t, std::int64_t> counts;
    for (const auto size : sizes) ++counts[size];
    return {counts.begin(), counts.end()};
}

void set_information_scores(Scores& scores, const Contingency& table) {
    const auto rows = static_cast<double>(table.rows);
    const double information = mutual_information(table);
    const double of_clusters = entropy(table.cluster_sizes, rows);
    const double of_classes = entropy(table.class_sizes, rows);
    const double mean = (of_clusters + of_classes) / 2;
    scores.homogeneity = of_classes > 0 ? information / of_classes : 1;
    scores.completeness = of_clusters > 0 ? information / of_clusters : 1;
    const double sum = scores.homogeneity + scores.completeness;
    scores.v_measure = sum > 0 ? 2 * scores.homogeneity * scores.completeness / sum : 0;
    if (scores.clusters == 1 && scores.classes == 1) {
        scores.nmi = scores.ami = 1;
        return;
    }
    scores.nmi = information > 0 ? information / mean : 0;
    const double expected =
        expected_mutual_information(table.cluster_sizes, table.class_sizes, table.rows);
    // Both all in one or both all apart: chance does as well; the limit keeps the quotient finite.
    constexpr double least = std::numeric_limits<double>::epsilon();
    const double range = mean - expected;
    scores.ami =
        (information - expected) / (range < 0 ? std::min(range, -least) : std::max(range, least));
}

double sum_of_squares(const std::vector<std::int64_t>& sizes) {
    double sum = 0;
    for (const auto size : sizes) sum += static_cast<double>(size) * static_cast<double>(size);
    return sum;
}

void set_pair_scores(Scores& scores, const Contingency& table) {
    const auto rows = static_cast<double>(table.rows);
    double together = -rows;  // ordered pairs of rows in one cluster and one class
    for (const auto& cell : table.cells)
        together += static_cast<double>(cell.count) * static_cast<double>(cell.count);
    const double in_cluster = sum_of_squares(table.cluster_sizes) - rows;
    const double in_class = sum_of_squares(table.class_sizes) - rows;
    const double wrongly_together = in_cluster - together, wrongly_apart = in_class - together;
    const double apart = rows * rows - rows - in_cluster - wrongly_apart;
    scores.ari =
        wrongly_together == 0 && wrongly_apart == 0
            ? 1
            : 2 * (together * apart - wrongly_apart * wrongly_together) /
                  (in_class * (wrongly_apart + apart) + in_cluster * (wrongly_together + apart));
    scores.fowlkes_mallows =
        together > 0 ? std::sqrt(together / in_cluster) * std::sqrt(together / in_class) : 0;
}

double purity(const Contingency& table) {
    std::vector<std::int64_t> commonest(table.cluster_sizes.size());
    for (const auto& cell : table.cells) {
        auto& most = commonest[static_cast<std::size_t>(cell.cluster)];
        most = std::max(most, cell.count);
    }
    std::int64_t sum = 0;
    for (const auto count : commonest) sum += count;
    return static_cast<double>(sum) / static_cast<double>(table.rows);
}

}  // namespace

Contingency contingency(std::span<const std::int64_t> clusters,
                        std::span<const std::int64_t> truth) {
    Contingency table{.cells = {},
                      .cluster_sizes = {},
                      .class_sizes = {},
                      .rows = static_cast<std::int64_t>(truth.size())};
    const auto cluster = numbered(clusters, table.cluster_sizes);
    const auto number = numbered(truth, table.class_sizes);
    std::vector<std::pair<std::int64_t, std::int64_t>> pairs;
    for (std::size_t i = 0; i < cluster.size(); ++i) pairs.emplace_back(cluster[i], number[i]);
    std::sort(pairs.begin(), pairs.end());
    for (const auto& [c, t] : pairs) {
        if (table.cells.empty() || table.cells.back().cluster != c || table.cells.back().truth != t)
            table.cells.push_back({c, t, 0});
        ++table.cells.back().count;
    }
    return table;
}

double expected_mutual_information(std::span<const std::int64_t> cluster_sizes,
                                   std::span<const std::int64_t> class_sizes, std::int64_t rows) {
    const auto clusters = counted(cluster_sizes), classes = counted(class_sizes);
    std::vector<double> parts(clusters.size());
#pragma omp parallel for schedule(dynamic)
    for (std::size_t i = 0; i < clusters.size(); ++i)
        for (const auto& [size, count] : classes)
            parts[i] += clusters[i].second * count *
                        expected_part(clusters[i].first, size, static_cast<double>(rows));
    double sum = 0;
    for (const auto part : parts) sum += part;
    return sum;
}

Scores compare(std::span<const std::int64_t> clusters, std::span<const std::int64_t> truth) {
    VALIDATE(clusters.size() == truth.size(),
             "there are {} cluster labels and {} true labels; both go by the same rows",
             clusters.size(), truth.size());
    VALIDATE(!truth.empty(), "no row has a true label (there is nothing to score against)");
    return scores_of(contingency(clusters, truth));
}

Scores scores_of(const Contingency& table) {
    Scores scores;
    scores.rows = table.rows;
    scores.clusters = static_cast<std::int64_t>(table.cluster_sizes.size());
    scores.classes = static_cast<std::int64_t>(table.class_sizes.size());
    set_information_scores(scores, table);
    set_pair_scores(scores, table);
    scores.purity = purity(table);
    return scores;
}

}  // namespace nanoatlas::cluster
