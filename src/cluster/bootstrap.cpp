#include "cluster/bootstrap.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/random.hpp"

namespace nanoatlas::cluster {
namespace {

constexpr double outside = 0.025;  // of the replicates, on either side

double percentile(const std::vector<double>& ascending, double share) {
    const double place = share * static_cast<double>(ascending.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const auto above = std::min(below + 1, ascending.size() - 1);
    return ascending[below] +
           (place - static_cast<double>(below)) * (ascending[above] - ascending[below]);
}

Interval interval_of(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return {percentile(values, outside), percentile(values, 1 - outside)};
}

/// The cell of the contingency table that each row is counted in.
std::vector<std::size_t> cells_of_rows(std::span<const std::int64_t> clusters,
                                       std::span<const std::int64_t> truth) {
    std::vector<std::pair<std::int64_t, std::int64_t>> pairs;
    for (std::size_t i = 0; i < clusters.size(); ++i) pairs.emplace_back(clusters[i], truth[i]);
    auto distinct = pairs;
    std::sort(distinct.begin(), distinct.end());
    distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
    // Cells stand in the order of cluster and class, as these pairs do.
    std::vector<std::size_t> cells;
    cells.reserve(pairs.size());
    for (const auto& pair : pairs)
        cells.push_back(static_cast<std::size_t>(
            std::lower_bound(distinct.begin(), distinct.end(), pair) - distinct.begin()));
    return cells;
}

/// Numbers those of the sizes that are above 0; the others are dropped.
std::vector<std::int64_t> renumber(std::vector<std::int64_t>& sizes) {
    std::vector<std::int64_t> number, kept;
    for (const auto size : sizes) {
        number.push_back(std::ssize(kept));
        if (size > 0) kept.push_back(size);
    }
    sizes = std::move(kept);
    return number;
}

/// The table of as many rows drawn with repetition.
Contingency redraw(const Contingency& table, const std::vector<std::size_t>& cell_of_row,
                   base::Random random) {
    std::vector<std::int64_t> count(table.cells.size());
    for (std::size_t i = 0; i < cell_of_row.size(); ++i)
        ++count[cell_of_row[random.below(cell_of_row.size())]];
    Contingency drawn{.cells = {},
                      .cluster_sizes = std::vector<std::int64_t>(table.cluster_sizes.size()),
                      .class_sizes = std::vector<std::int64_t>(table.class_sizes.size()),
                      .rows = table.rows};
    for (std::size_t c = 0; c < count.size(); ++c) {
        const auto& cell = table.cells[c];
        drawn.cluster_sizes[static_cast<std::size_t>(cell.cluster)] += count[c];
        drawn.class_sizes[static_cast<std::size_t>(cell.truth)] += count[c];
    }
    const auto cluster = renumber(drawn.cluster_sizes), truth = renumber(drawn.class_sizes);
    for (std::size_t c = 0; c < count.size(); ++c)
        if (count[c] > 0)
            drawn.cells.push_back({cluster[static_cast<std::size_t>(table.cells[c].cluster)],
                                   truth[static_cast<std::size_t>(table.cells[c].truth)],
                                   count[c]});
    return drawn;
}

/// work(b) of all replicates b, each done by one rank, on every rank.
template <class Result, class Work>
std::vector<Result> over_ranks(int replicates, const comm::Communicator& comm, const Work& work) {
    const auto mine = comm::row_block(replicates, comm);
    std::vector<Result> own;
    for (auto b = mine.first; b < mine.end(); ++b) own.push_back(work(b));
    return comm.all_gather(own);
}

}  // namespace

ScoreIntervals bootstrap_scores(std::span<const std::int64_t> clusters,
                                std::span<const std::int64_t> truth,
                                const BootstrapOptions& options, const comm::Communicator& comm) {
    const auto table = contingency(clusters, truth);
    const auto cell_of_row = cells_of_rows(clusters, truth);
    const auto all = over_ranks<Scores>(options.replicates, comm, [&](std::int64_t b) {
        return scores_of(redraw(table, cell_of_row, base::Random(options.seed, 1, b)));
    });
    const auto interval = [&](double Scores::*score) {
        std::vector<double> values;
        values.reserve(all.size());
        for (const auto& scores : all) values.push_back(scores.*score);
        return interval_of(std::move(values));
    };
    return {interval(&Scores::nmi), interval(&Scores::ami), interval(&Scores::ari)};
}

Interval bootstrap_mean(std::span<const double> values, const BootstrapOptions& options,
                        const comm::Communicator& comm) {
    return interval_of(over_ranks<double>(options.replicates, comm, [&](std::int64_t b) {
        base::Random random(options.seed, 2, b);
        double sum = 0;
        for (std::size_t i = 0; i < values.size(); ++i) sum += values[random.below(values.size())];
        return sum / static_cast<double>(values.size());
    }));
}

}  // namespace nanoatlas::cluster
