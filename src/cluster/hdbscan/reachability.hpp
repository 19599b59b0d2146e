// Trees of mutual reachability over all rows of a matrix, repeated ones too, from lists made once.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/stopwatch.hpp"
#include "cluster/distinct_rows.hpp"
#include "cluster/neighbour_file.hpp"
#include "cluster/spanning_tree.hpp"

namespace nanoatlas::cluster {

/// Rows that repeat others are compared with others once. All collective.
class Reachability {
  public:
    /// most_samples  the largest min_samples that trees will be asked for: the lists are that long
    ///               and a little longer
    /// neighbours    a file of lists to take instead of searching; "": none
    /// phases        search or reading is measured as cluster/neighbours
    /// throws        InputError as ListSource does
    Reachability(store::Matrix<double> matrix, std::int64_t most_samples,
                 const std::string& neighbours, base::PhaseTimes& phases,
                 const comm::Communicator& comm);

    /// Of the lists.
    Metric metric() const { return metric_; }
    /// As they were given.
    const comm::RowBlock& rows() const { return distinct_.given; }

    /// Of all rows, on every rank; the last one is kept.
    /// min_samples  at least 1; beyond the other rows all of them count
    /// alpha        distances, but not core distances, are divided by it
    const SpanningTree& tree(std::int64_t min_samples, double alpha);

    /// Some of the rows as a matrix: ascending, the same on every rank.
    store::Matrix<double> take(std::span<const std::int64_t> rows) const;

    const comm::Communicator& comm() const { return comm_; }

  private:
    SpanningTree make_tree(std::int64_t min_samples, double alpha) const;
    SpanningTree with_repeats(SpanningTree tree, const std::vector<double>& core) const;

    const comm::Communicator& comm_;
    Metric metric_ = Metric::euclidean;
    DistinctRows distinct_;
    std::vector<std::int64_t> copies_;  // of each distinct row, of all
    Neighbours lists_;                  // of the distinct rows; empty if there is only one
    struct {
        std::int64_t min_samples = 0;  // 0: there is no tree yet
        double alpha = 0;
        SpanningTree tree;
    } last_;
};

}  // namespace nanoatlas::cluster
