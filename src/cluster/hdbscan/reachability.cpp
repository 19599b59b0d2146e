#include "cluster/hdbscan/reachability.hpp"

#include <algorithm>

#include "cluster/subsample.hpp"

namespace nanoatlas::cluster {
namespace {

std::size_t at(std::int64_t row) {
    return static_cast<std::size_t>(row);
}

// Some more than needed spare most rows a search, and cost less.
std::int64_t list_length(std::int64_t min_samples) {
    return min_samples + 4 + min_samples / 4;
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

}  // namespace

Reachability::Reachability(store::Matrix<double> matrix, std::int64_t most_samples,
                           const std::string& neighbours, base::PhaseTimes& phases,
                           const comm::Communicator& comm)
    : comm_(comm) {
    const ListSource source(neighbours, matrix, comm);
    metric_ = source.metric();
    distinct_ = find_distinct_rows(source.in_its_metric(std::move(matrix)), comm);
    copies_ = copies_of(distinct_, comm);
    const auto others = distinct_.matrix.rows.total - 1;
    if (others == 0) return;
    const auto phase = phases.measure("cluster/neighbours");
    lists_ = source.lists(distinct_, static_cast<int>(std::min(others, most_samples)),
                          static_cast<int>(std::min(others, list_length(most_samples))));
}

const SpanningTree& Reachability::tree(std::int64_t min_samples, double alpha) {
    const auto samples = std::min(min_samples, distinct_.given.total - 1);
    if (last_.min_samples != samples || last_.alpha != alpha)
        last_ = {samples, alpha, make_tree(samples, alpha)};
    return last_.tree;
}

SpanningTree Reachability::make_tree(std::int64_t min_samples, double alpha) const {
    const auto& rows = distinct_.matrix.rows;
    if (rows.total == 1) return with_repeats({}, std::vector<double>(at(rows.count), 0));
    const auto core = core_distances(lists_, copies_, min_samples);
    return with_repeats(spanning_tree(distinct_.matrix, lists_, core, alpha, comm_), core);
}

// From the distinct rows to all: each repeated row hangs on the first of its like.
SpanningTree Reachability::with_repeats(SpanningTree tree, const std::vector<double>& core) const {
    if (distinct_.repeats() == 0) return tree;
    for (auto& edge : tree) {
        edge.low = distinct_.original[at(edge.low)];
        edge.high = distinct_.original[at(edge.high)];
    }
    const auto core_of = comm_.all_gather(core);
    const auto representative = comm_.all_gather(distinct_.representative);
    for (std::int64_t row = 0; row < distinct_.given.total; ++row) {
        const auto number = at(representative[at(row)]);
        const auto first = distinct_.original[number];
        if (first != row)
            tree.push_back({.weight = core_of[number], .distance = 0, .low = first, .high = row});
    }
    std::sort(tree.begin(), tree.end());
    return tree;
}

store::Matrix<double> Reachability::take(std::span<const std::int64_t> rows) const {
    if (distinct_.repeats() == 0) return take_rows(distinct_.matrix, rows, comm_);
    const auto representative = comm_.all_gather(distinct_.representative);
    std::vector<std::int64_t> numbers;
    for (const auto row : rows) numbers.push_back(representative[at(row)]);
    return take_rows(distinct_.matrix, numbers, comm_);
}

}  // namespace nanoatlas::cluster
