#include "reduce/tsne/affinities.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace nanoatlas::reduce {
namespace {

struct Entropy {
    double value = 0;     ///< [nats]
    double variance = 0;  ///< of the squared distances
};

/// Fills p. excess: squared distances less the least of them.
Entropy distribute(std::span<const double> excess, double sharpness, std::span<double> p) {
    double sum = 0, first = 0, second = 0;
    for (std::size_t j = 0; j < p.size(); ++j) {
        p[j] = std::exp(-sharpness * excess[j]);
        sum += p[j];
        first += p[j] * excess[j];
        second += p[j] * excess[j] * excess[j];
    }
    for (double& value : p) value /= sum;
    const double mean = first / sum;
    return {std::log(sum) + sharpness * mean, std::max(0.0, second / sum - mean * mean)};
}

struct Entry {
    std::int32_t row, to;
    float p;
};

/// Entries of this rank's rows out of the other direction of all edges, by row.
struct Arrivals {
    std::vector<std::size_t> begin;
    std::vector<Entry> entries;
};

Arrivals send_back(const NearestRows& nearest, const std::vector<float>& p,
                   const comm::RowBlock& rows, const comm::Communicator& comm) {
    const comm::BlockDistribution blocks(rows.total, comm.size());
    std::vector<std::vector<Entry>> parts(static_cast<std::size_t>(comm.size()));
    for (std::size_t at = 0; at < p.size(); ++at) {
        const auto row = rows.first + static_cast<std::int64_t>(at) / nearest.k;
        const auto other = nearest.index[at];
        parts[static_cast<std::size_t>(blocks.owner(other))].push_back(
            {static_cast<std::int32_t>(other), static_cast<std::int32_t>(row), p[at]});
    }
    const auto received = comm.exchange(parts);
    Arrivals arrivals;
    arrivals.begin.resize(static_cast<std::size_t>(rows.count) + 1);
    for (const auto& part : received)
        for (const auto& entry : part)
            ++arrivals.begin[static_cast<std::size_t>(entry.row - rows.first) + 1];
    for (std::size_t i = 1; i < arrivals.begin.size(); ++i)
        arrivals.begin[i] += arrivals.begin[i - 1];
    auto next = arrivals.begin;
    arrivals.entries.resize(arrivals.begin.back());
    for (const auto& part : received)
        for (const auto& entry : part)
            arrivals.entries[next[static_cast<std::size_t>(entry.row - rows.first)]++] = entry;
    return arrivals;
}

/// p_j|i of this rank's rows, [n, k], as they stand in the lists.
std::vector<float> all_conditional(const NearestRows& nearest, double perplexity,
                                   const comm::RowBlock& rows) {
    const auto k = static_cast<std::size_t>(nearest.k);
    std::vector<float> p(nearest.index.size());
#pragma omp parallel for schedule(dynamic, 64)
    for (std::int64_t i = 0; i < rows.count; ++i) {
        const auto at = static_cast<std::size_t>(i) * k;
        const auto own =
            conditional_probabilities(std::span(nearest.distance).subspan(at, k), perplexity);
        std::copy(own.begin(), own.end(), p.begin() + static_cast<std::ptrdiff_t>(at));
    }
    return p;
}

/// Entries of a row to the same other row become one; ascending.
void add_up(std::vector<Entry>& entries) {
    std::ranges::sort(entries, {}, &Entry::to);
    std::size_t kept = 0;
    for (std::size_t at = 0; at < entries.size(); ++at)
        if (kept > 0 && entries[kept - 1].to == entries[at].to)
            entries[kept - 1].p += entries[at].p;
        else
            entries[kept++] = entries[at];
    entries.resize(kept);
}

}  // namespace

std::vector<double> conditional_probabilities(std::span<const double> distance, double perplexity) {
    constexpr int most_steps = 100;
    constexpr double close_enough = 1e-6;
    const double wanted = std::log(perplexity), nearest = distance.front();
    std::vector<double> excess, p(distance.size());
    for (const double d : distance) excess.push_back((d - nearest) * (d + nearest));
    const auto ties = std::ranges::count(excess, 0.0);
    if (excess.back() == 0 || static_cast<double>(ties) >= perplexity) {
        std::fill_n(p.begin(), ties, 1 / static_cast<double>(ties));
        return p;
    }
    // Newton's steps in the logarithm, halves where they lead out of what is known.
    double low = 0, high = std::numeric_limits<double>::infinity();
    double sharpness =
        1 / excess[std::min(excess.size() - 1, static_cast<std::size_t>(perplexity))];
    for (int step = 0; step < most_steps; ++step) {
        const auto entropy = distribute(excess, sharpness, p);
        if (std::abs(entropy.value - wanted) < close_enough) break;
        (entropy.value > wanted ? low : high) = sharpness;
        const double slope = sharpness * sharpness * entropy.variance;
        double next = slope > 0 ? sharpness * std::exp((entropy.value - wanted) / slope) : 0;
        if (!(next > low && next < high))
            next = std::isinf(high) ? 2 * sharpness : (low + high) / 2;
        sharpness = next;
    }
    return p;
}

Affinities affinities(const NearestRows& nearest, double perplexity, const comm::RowBlock& rows,
                      const comm::Communicator& comm) {
    const auto p = all_conditional(nearest, perplexity, rows);
    const auto back = send_back(nearest, p, rows, comm);
    const auto k = static_cast<std::size_t>(nearest.k);
    const auto scale = static_cast<float>(1 / (2 * static_cast<double>(rows.total)));
    Affinities result{.begin = {0}, .to = {}, .p = {}};
    std::vector<Entry> entries;
    for (std::size_t i = 0; i < static_cast<std::size_t>(rows.count); ++i) {
        const auto row = static_cast<std::int32_t>(rows.first + static_cast<std::int64_t>(i));
        entries.assign(back.entries.begin() + static_cast<std::ptrdiff_t>(back.begin[i]),
                       back.entries.begin() + static_cast<std::ptrdiff_t>(back.begin[i + 1]));
        for (std::size_t j = i * k; j < (i + 1) * k; ++j)
            entries.push_back({row, static_cast<std::int32_t>(nearest.index[j]), p[j]});
        add_up(entries);
        for (const auto& entry : entries) {
            result.to.push_back(entry.to);
            result.p.push_back(entry.p * scale);
        }
        result.begin.push_back(result.to.size());
    }
    return result;
}

}  // namespace nanoatlas::reduce
