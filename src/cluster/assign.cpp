#include "cluster/assign.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "base/check.hpp"
#include "cluster/distinct_rows.hpp"
#include "cluster/frame.hpp"
#include "cluster/hdbscan/predict.hpp"
#include "cluster/row_ring.hpp"
#include "kernels/kokkos/density.hpp"
#include "kernels/kokkos/distances_from_few.hpp"
#include "kernels/kokkos/neighbours.hpp"
#include "kernels/reference/density.hpp"

namespace nanoatlas::cluster {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

std::size_t at(std::int64_t row) {
    return static_cast<std::size_t>(row);
}

void check_columns(const store::Matrix<double>& rows, const store::Matrix<double>& old) {
    VALIDATE(rows.columns == old.columns,
             "the new rows have {} columns and the clustered ones {}; both go by the same columns",
             rows.columns, old.columns);
}

/// The k nearest of the old rows for each new one.
Neighbours neighbours_among(const store::Matrix<double>& old, const store::Matrix<double>& rows,
                            int k, const comm::Communicator& comm) {
    auto frame = make_frame(old, comm);
    for (std::size_t i = 0; i < rows.values.size(); ++i)
        frame.largest =
            std::max(frame.largest, std::abs(rows.values[i] - frame.centre[i % at(rows.columns)]));
    frame.largest = comm.max(frame.largest);
    const auto size = at(rows.rows.count * k);
    Neighbours lists{.rows = rows.rows,
                     .k = k,
                     .index = std::vector<std::int64_t>(size),
                     .distance = std::vector<double>(size)};
    // Numbered after the old rows, no new row is taken for one of its neighbours.
    using kernels::kokkos::lay_out;
    const auto layout = lay_out(rows.values, frame);
    kernels::kokkos::NeighbourSearch search(rows.values, layout, old.rows.total + rows.rows.first,
                                            frame, lists.index, lists.distance);
    auto old_layout = lay_out(old.values, frame);
    RowRing ring(ordered_rows(old.values, old_layout, frame, comm),
                 blocks_of_all_ranks(old.rows.total, comm), comm);
    ring.go_round([&] { search.add(ring.rows(), ring.layout(), ring.first_row()); });
    search.finish();
    return lists;
}

class PeakAssigner {
  public:
    PeakAssigner(const PeakClusters& clusters, const DistinctRows& old, Neighbours neighbours)
        : clusters_(clusters), old_(old), lists_(std::move(neighbours)) {
        const auto count = static_cast<std::size_t>(
            std::lround(std::sqrt(static_cast<double>(clusters.saddle_density.size()))));
        highest_.assign(count, {-infinity, 0});
        for (std::size_t a = 0; a < count; ++a)
            for (std::size_t b = 0; b < count; ++b) {
                const auto place = a * count + b;
                if (clusters.saddle_error[place] > 0 &&
                    clusters.saddle_density[place] > highest_[a].density)
                    highest_[a] = {clusters.saddle_density[place], clusters.saddle_error[place]};
            }
    }

    PeakAssignment run() {
        measure_density();
        for (std::int64_t i = 0; i < lists_.rows.count; ++i) {
            const auto equal = lists_.distance_of(i)[0] == 0;
            const auto source = old_row(i, 0);
            if (equal) {
                result_.log_density[at(i)] = clusters_.log_density[source];
                result_.error[at(i)] = clusters_.error[source];
            }
            const auto label = equal ? clusters_.label[source] : label_of(i);
            const auto& saddle = highest_.at(static_cast<std::size_t>(label));
            result_.label.push_back(label);
            result_.halo.push_back(result_.log_density[at(i)] < saddle.density ? 1 : 0);
            result_.confidence.push_back(confidence(i, saddle));
        }
        return std::move(result_);
    }

  private:
    struct Saddle {
        double density, error;
    };

    // The row of the matrix as it was given.
    std::size_t old_row(std::int64_t i, std::size_t rank) const {
        return at(old_.original[at(lists_.index_of(i)[rank])]);
    }

    void measure_density() {
        std::vector<std::int32_t> kstar;
        for (std::int64_t i = 0; i < lists_.rows.count; ++i)
            kstar.push_back(std::min(clusters_.kstar[old_row(i, 0)], lists_.k));
        // A distance of 0 has no logarithm; such rows get another's density after this.
        auto distance = lists_.distance;
        for (auto& value : distance) value = std::max(value, std::numeric_limits<double>::min());
        result_.log_density.resize(kstar.size());
        kernels::kokkos::log_density(distance, lists_.k, clusters_.dimension, kstar,
                                     result_.log_density);
        const double log_total = std::log(static_cast<double>(old_.matrix.rows.total));
        for (auto& value : result_.log_density) value -= log_total;
        for (const auto k : kstar)
            result_.error.push_back(kernels::reference::log_density_error(k));
    }

    std::int32_t label_of(std::int64_t i) const {
        const double own = result_.log_density[at(i)] - result_.error[at(i)];
        for (std::size_t rank = 0; rank < static_cast<std::size_t>(lists_.k); ++rank) {
            const auto row = old_row(i, rank);
            if (clusters_.log_density[row] - clusters_.error[row] > own)
                return clusters_.label[row];
        }
        return clusters_.label[old_row(i, 0)];
    }

    double confidence(std::int64_t i, const Saddle& saddle) const {
        if (saddle.density == -infinity) return 1;
        const double above = result_.log_density[at(i)] - saddle.density;
        const double error = std::hypot(result_.error[at(i)], saddle.error);
        return std::erfc(-above / error / std::numbers::sqrt2) / 2;
    }

    const PeakClusters& clusters_;
    const DistinctRows& old_;
    Neighbours lists_;  // of new rows among the distinct old ones
    std::vector<Saddle> highest_;
    PeakAssignment result_;
};

}  // namespace

Assignment assign_to_centroids(const store::Matrix<double>& rows,
                               std::span<const double> centroid) {
    constexpr std::int64_t at_once = 4096;
    const auto columns = at(rows.columns), clusters = centroid.size() / columns;
    Assignment result;
    for (std::int64_t first = 0; first < rows.rows.count; first += at_once) {
        const auto count = at(std::min(at_once, rows.rows.count - first));
        std::vector<double> squares(clusters * count);
        kernels::kokkos::least_squares_with(
            std::span(rows.values).subspan(at(first) * columns, count * columns), centroid, columns,
            std::vector<double>(count, infinity), squares);
        for (std::size_t i = 0; i < count; ++i) {
            std::size_t nearest = 0;
            double second = infinity;
            for (std::size_t k = 1; k < clusters; ++k) {
                const double now = squares[k * count + i], least = squares[nearest * count + i];
                second = std::min(second, std::max(now, least));
                if (now < least) nearest = k;
            }
            const double least = squares[nearest * count + i];
            result.label.push_back(static_cast<std::int32_t>(nearest));
            result.confidence.push_back(second == 0 ? 0 : 1 - std::sqrt(least / second));
        }
    }
    return result;
}

PeakAssignment assign_to_peaks(const store::Matrix<double>& rows, store::Matrix<double> old,
                               const PeakClusters& clusters, int k,
                               const comm::Communicator& comm) {
    VALIDATE(old.rows.total == std::ssize(clusters.label),
             "the matrix has {} rows and the clusters {}; give the matrix that was clustered",
             old.rows.total, clusters.label.size());
    check_columns(rows, old);
    VALIDATE(k >= 2, "--maxk is {} (a density takes at least 2 neighbours); 100 is customary", k);
    const auto distinct = find_distinct_rows(std::move(old), comm);
    const auto length = static_cast<int>(std::min<std::int64_t>(k, distinct.matrix.rows.total));
    return PeakAssigner(clusters, distinct, neighbours_among(distinct.matrix, rows, length, comm))
        .run();
}

Assignment assign_to_tree(const store::Matrix<double>& rows, const store::Matrix<double>& old,
                          const TreeClusters& clusters, const comm::Communicator& comm) {
    check_columns(rows, old);
    const auto total = old.rows.total, samples = clusters.min_samples;
    VALIDATE(total == clusters.condensed.rows && total > samples,
             "the clusters are of {} rows and the matrix has {}; give the matrix that was "
             "clustered",
             clusters.condensed.rows, total);
    std::vector<double> core(at(old.rows.count));  // a row's own place in its list counts
    if (samples > 1) {
        const auto lists = find_neighbours(old, static_cast<int>(samples - 1), comm);
        for (std::int64_t i = 0; i < old.rows.count; ++i) core[at(i)] = lists.distance_of(i).back();
    }
    const MembershipRule rule(clusters.condensed, clusters.selected, samples,
                              comm.all_gather(core));
    const auto k = static_cast<int>(std::min(2 * samples, total));
    const auto near = neighbours_among(old, rows, k, comm);
    Assignment assignment;
    for (std::int64_t i = 0; i < rows.rows.count; ++i) {
        const auto found = rule.predict(near.index_of(i), near.distance_of(i));
        assignment.label.push_back(found.label);
        assignment.confidence.push_back(found.probability);
    }
    return assignment;
}

}  // namespace nanoatlas::cluster
