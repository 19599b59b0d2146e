#include "cluster/hdbscan/hdbscan.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "base/log.hpp"
#include "cluster/distinct_rows.hpp"
#include "cluster/hdbscan/membership.hpp"

namespace nanoatlas::cluster {
namespace {

std::size_t at(std::int64_t row) {
    return static_cast<std::size_t>(row);
}

std::int64_t usable_samples(const HdbscanOptions& options, std::int64_t rows) {
    const auto wanted = options.min_samples > 0 ? options.min_samples : options.min_cluster_size;
    if (wanted < rows) return wanted;
    base::log_warning(fmt::format("--min-samples is {}, but a row has {} others; {} is used",
                                  wanted, rows - 1, rows - 1));
    return rows - 1;
}

// Some more than needed spare most rows a search, and cost less.
int list_length(std::int64_t min_samples, std::int64_t rows) {
    return static_cast<int>(std::min(rows - 1, min_samples + 4 + min_samples / 4));
}

// How often each distinct row is there, of all.
std::vector<std::int64_t> copies_of(const DistinctRows& distinct, const comm::Communicator& comm) {
    std::vector<std::int64_t> copies(distinct.original.size());
    for (const auto row : distinct.representative) ++copies[at(row)];
    comm.sum(std::span(copies));
    return copies;
}

// Of this rank's distinct rows: the distance of the min_samples-th other of all rows.
std::vector<double> core_distances(const Neighbours& neighbours,
                                   const std::vector<std::int64_t>& copies,
                                   std::int64_t min_samples) {
    std::vector<double> core(at(neighbours.rows.count), 0);
    for (std::int64_t i = 0; i < neighbours.rows.count; ++i) {
        auto seen = copies[at(neighbours.rows.first + i)] - 1;
        for (std::size_t j = 0; seen < min_samples; ++j) {
            seen += copies[at(neighbours.index_of(i)[j])];
            core[at(i)] = neighbours.distance_of(i)[j];
        }
    }
    return core;
}

// From the distinct rows to all: each repeated row hangs on the first of its like.
SpanningTree with_repeats(SpanningTree tree, const DistinctRows& distinct,
                          const std::vector<double>& core, const comm::Communicator& comm) {
    if (distinct.repeats() == 0) return tree;
    for (auto& edge : tree) {
        edge.low = distinct.original[at(edge.low)];
        edge.high = distinct.original[at(edge.high)];
    }
    const auto core_of = comm.all_gather(core);
    const auto representative = comm.all_gather(distinct.representative);
    for (std::int64_t row = 0; row < distinct.given.total; ++row) {
        const auto number = at(representative[at(row)]);
        const auto first = distinct.original[number];
        if (first != row)
            tree.push_back({.weight = core_of[number], .distance = 0, .low = first, .high = row});
    }
    std::sort(tree.begin(), tree.end());
    return tree;
}

SpanningTree tree_of_all(const DistinctRows& distinct, std::int64_t min_samples, double alpha,
                         base::PhaseTimes& phases, const comm::Communicator& comm) {
    if (distinct.matrix.rows.total == 1)
        return with_repeats({}, distinct, std::vector<double>(at(distinct.matrix.rows.count), 0),
                            comm);
    const auto neighbours = [&] {
        const auto phase = phases.measure("cluster/neighbours");
        return find_neighbours(distinct.matrix,
                               list_length(min_samples, distinct.matrix.rows.total), comm);
    }();
    const auto phase = phases.measure("cluster/hdbscan/tree");
    const auto core = core_distances(neighbours, copies_of(distinct, comm), min_samples);
    auto tree = spanning_tree(distinct.matrix, neighbours, core, alpha, comm);
    return with_repeats(std::move(tree), distinct, core, comm);
}

template <class T>
std::vector<T> rows_of_this_rank(const std::vector<T>& all, const comm::RowBlock& rows) {
    return {all.begin() + rows.first, all.begin() + rows.end()};
}

}  // namespace

void check_options(const HdbscanOptions& options) {
    const auto& [method, epsilon, single, max_size] = options.selection;
    VALIDATE(options.min_cluster_size >= 2,
             "--min-cluster-size is {} (a single row is no cluster); give 2 or more",
             options.min_cluster_size);
    VALIDATE(options.min_samples >= 0,
             "--min-samples is {} (it is a number of rows); give 1 or more, or 0 for "
             "--min-cluster-size",
             options.min_samples);
    VALIDATE(options.alpha > 0 && options.alpha < 1e100,
             "--alpha is {} (distances are divided by it); give a number above 0", options.alpha);
    VALIDATE(epsilon >= 0 && epsilon < 1e300,
             "--epsilon is {} (it is a distance); give a number from 0 on", epsilon);
    VALIDATE(max_size >= 0,
             "--max-cluster-size is {} (it is a number of rows); give 0 for no limit", max_size);
}

Hdbscan hdbscan(store::Matrix<double> matrix, const HdbscanOptions& options,
                base::PhaseTimes& phases, const comm::Communicator& comm) {
    check_options(options);
    const auto rows = matrix.rows;
    VALIDATE(
        rows.total >= options.min_cluster_size,
        "the matrix has {} rows and --min-cluster-size is {} (no cluster can be as large); give "
        "a smaller --min-cluster-size",
        rows.total, options.min_cluster_size);
    const auto distinct = find_distinct_rows(std::move(matrix), comm);
    Hdbscan result;
    result.rows = rows;
    result.tree =
        tree_of_all(distinct, usable_samples(options, rows.total), options.alpha, phases, comm);

    const auto phase = phases.measure("cluster/hdbscan/clusters");
    result.condensed = condense(single_linkage(result.tree), options.min_cluster_size);
    result.selected = select_clusters(result.condensed, options.selection);
    const auto label = labels(result.condensed, result.selected, options.selection);
    result.label = rows_of_this_rank(label, rows);
    result.probability =
        rows_of_this_rank(probabilities(result.condensed, result.selected, label), rows);
    result.outlier_score = rows_of_this_rank(outlier_scores(result.condensed), rows);
    result.persistence = persistences(result.condensed, result.selected, label);
    return result;
}

}  // namespace nanoatlas::cluster
