#include "atlas/portrait.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>

#include "cluster/significance.hpp"

namespace nanoatlas::atlas {
namespace {

std::size_t at(std::int64_t place) {
    return static_cast<std::size_t>(place);
}

/// How often each value occurs in each cluster and in all.
struct Counts {
    std::vector<std::map<std::int32_t, std::int64_t>> by_cluster;  ///< only values that occur
    std::vector<std::int64_t> known;                               ///< [K]
    std::vector<std::int64_t> corpus;                              ///< by value
    std::int64_t corpus_known = 0;
};

Counts count(const Category& category, const std::vector<std::int32_t>& cluster, int clusters) {
    Counts counts{.by_cluster = std::vector<std::map<std::int32_t, std::int64_t>>(at(clusters)),
                  .known = std::vector<std::int64_t>(at(clusters)),
                  .corpus = std::vector<std::int64_t>(category.values.size())};
    for (std::size_t i = 0; i < cluster.size(); ++i) {
        const auto code = category.code[i];
        if (code < 0) continue;
        ++counts.corpus[at(code)];
        ++counts.corpus_known;
        if (cluster[i] < 0) continue;
        ++counts.by_cluster[at(cluster[i])][code];
        ++counts.known[at(cluster[i])];
    }
    return counts;
}

/// One cluster's values.
std::vector<TellingValue> test_values(const Category& category, const Counts& counts,
                                      std::size_t cluster) {
    std::vector<TellingValue> tested;
    for (const auto& [code, found] : counts.by_cluster[cluster])
        tested.push_back(
            {.field = category.name,
             .value = category.values[at(code)],
             .count = found,
             .known = counts.known[cluster],
             .corpus_count = counts.corpus[at(code)],
             .corpus_known = counts.corpus_known,
             .log_chance = cluster::log_chance_of_as_many(
                 found, counts.known[cluster], counts.corpus[at(code)], counts.corpus_known)});
    return tested;
}

double median(std::vector<double> values) {
    if (values.empty()) return std::nan("");
    const auto middle = values.begin() + std::ssize(values) / 2;
    std::nth_element(values.begin(), middle, values.end());
    if (values.size() % 2 == 1) return *middle;
    return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

/// Of each cluster; not there where the quantity is known of no member or of nobody else.
std::vector<std::vector<TellingQuantity>> test_quantity(const Quantity& quantity,
                                                        const std::vector<std::int32_t>& cluster,
                                                        int clusters) {
    const auto ranks = cluster::rank_values(quantity.value);
    std::vector<std::vector<double>> members(at(clusters));
    std::vector<double> rank_sums(at(clusters));
    for (std::size_t i = 0; i < cluster.size(); ++i)
        if (cluster[i] >= 0 && std::isfinite(quantity.value[i])) {
            members[at(cluster[i])].push_back(quantity.value[i]);
            rank_sums[at(cluster[i])] += ranks.rank[i];
        }
    std::vector<double> finite;
    std::ranges::copy_if(quantity.value, std::back_inserter(finite),
                         [](double value) { return std::isfinite(value); });
    const double of_all = median(std::move(finite));
    std::vector<std::vector<TellingQuantity>> tested(at(clusters));
    for (std::size_t k = 0; k < members.size(); ++k) {
        const auto size = std::ssize(members[k]);
        if (size == 0 || size == ranks.count) continue;
        const auto test = cluster::rank_test(rank_sums[k], size, ranks);
        tested[k].push_back({.field = quantity.name,
                             .unit = quantity.unit,
                             .median = median(members[k]),
                             .median_corpus = of_all,
                             .above = test.above,
                             .log_chance = test.log_chance});
    }
    return tested;
}

void adjust(std::vector<Portrait>& portraits) {
    std::vector<double> chances;
    const auto for_each = [&](const auto& visit) {
        for (auto& portrait : portraits) {
            for (auto& value : portrait.labels) visit(value);
            for (auto& value : portrait.values) visit(value);
            for (auto& quantity : portrait.quantities) visit(quantity);
        }
    };
    for_each([&](const auto& tested) { chances.push_back(tested.log_chance); });
    const auto rates = cluster::false_discovery_rates(chances);
    auto rate = rates.begin();
    for_each([&](auto& tested) { tested.log_rate = *rate++; });
}

/// Leaves the telling ones, the least likely first.
template <class Tested>
void keep_telling(std::vector<Tested>& all) {
    std::erase_if(all, [](const Tested& one) { return one.log_rate > std::log(telling_rate); });
    std::stable_sort(all.begin(), all.end(),
                     [](const Tested& a, const Tested& b) { return a.log_chance < b.log_chance; });
}

std::string only_value(const std::vector<TellingValue>& values, std::int64_t members) {
    if (values.size() != 1) return "";
    const auto& value = values.front();
    const bool is_telling =
        value.count == members && value.count >= 2 && value.log_chance < std::log(telling_rate);
    return is_telling ? value.value : "";
}

}  // namespace

std::vector<Portrait> portraits(const Facts& facts, const Category& labels,
                                const std::vector<std::int32_t>& cluster, int clusters) {
    std::vector<Portrait> all(at(clusters));
    std::vector<std::int64_t> size(at(clusters));
    for (const auto k : cluster)
        if (k >= 0) ++size[at(k)];
    const auto add_values = [&](const Category& category, std::vector<TellingValue> Portrait::*to,
                                std::string Portrait::*only) {
        const auto counts = count(category, cluster, clusters);
        for (std::size_t k = 0; k < all.size(); ++k) {
            const auto tested = test_values(category, counts, k);
            if (only != nullptr) all[k].*only = only_value(tested, size[k]);
            for (const auto& value : tested)
                if (value.corpus_count >= least_images_of_a_value || to == &Portrait::labels)
                    (all[k].*to).push_back(value);
        }
    };
    add_values(labels, &Portrait::labels, nullptr);
    for (const auto& category : facts.categories)
        add_values(category, &Portrait::values,
                   category.name == date_name ? &Portrait::only_date : nullptr);
    add_values(facts.session, &Portrait::values, &Portrait::only_session);
    add_values(facts.info_bar, &Portrait::values, &Portrait::only_info_bar);
    for (const auto& quantity : facts.quantities) {
        auto tested = test_quantity(quantity, cluster, clusters);
        for (std::size_t k = 0; k < all.size(); ++k)
            all[k].quantities.insert(all[k].quantities.end(), tested[k].begin(), tested[k].end());
    }
    adjust(all);
    for (auto& portrait : all) {
        keep_telling(portrait.values);
        keep_telling(portrait.quantities);
        std::stable_sort(portrait.labels.begin(), portrait.labels.end(),
                         [](const auto& a, const auto& b) { return a.count > b.count; });
    }
    return all;
}

}  // namespace nanoatlas::atlas
