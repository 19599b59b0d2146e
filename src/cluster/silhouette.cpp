#include "cluster/silhouette.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/check.hpp"
#include "cluster/frame.hpp"
#include "cluster/numbered_labels.hpp"
#include "cluster/row_ring.hpp"
#include "kernels/kokkos/distance_minima.hpp"
#include "kernels/kokkos/distance_sums.hpp"

namespace nanoatlas::cluster {
using kernels::kokkos::FixedPoint;

namespace {

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

std::size_t at(std::int64_t row) {
    return static_cast<std::size_t>(row);
}

/// The rows whose label is not -1, with their numbers among all rows of the matrix.
struct Labelled {
    std::vector<double> values;
    std::vector<std::int64_t> row, fold;
};

Labelled labelled_rows(std::span<const double> values, const comm::RowBlock& rows,
                       std::int64_t columns, std::span<const std::int64_t> labels,
                       std::span<const std::int64_t> folds) {
    Labelled labelled;
    for (std::int64_t i = 0; i < rows.count; ++i) {
        const auto row = static_cast<std::size_t>(rows.first + i);
        if (labels[row] == -1) continue;
        labelled.values.insert(labelled.values.end(), values.begin() + i * columns,
                               values.begin() + (i + 1) * columns);
        labelled.row.push_back(rows.first + i);
        labelled.fold.push_back(folds.empty() ? rows.first + i : folds[row]);
    }
    return labelled;
}

/// Sums of the distances from this rank's rows to those of each cluster [rows, clusters]. Each
/// pair of rows is computed once: the rows of a rank meet those of the half of the ranks that
/// follow it, and what they add to the sums of these is sent there.
class SumsOverRanks {
  public:
    SumsOverRanks(const store::Matrix<double>& matrix, const NumberedLabels& numbered,
                  const FixedPoint& unit, const comm::Communicator& comm)
        : matrix_(matrix),
          numbered_(numbered),
          comm_(comm),
          columns_(at(matrix.columns)),
          kernel_(columns_, numbered.clusters(), unit),
          sums_(at(matrix.rows.count) * numbered.clusters()) {}

    std::vector<std::int64_t> run() {
        RowRing ring(matrix_, comm_, comm_.size() / 2);
        ring.go_round([&] {
            if (ring.step() == 0)
                kernel_.add_within(labelled(matrix_.values, matrix_.rows, 0, matrix_.rows.count),
                                   sums_);
            else
                meet(ring);
        });
        return std::move(sums_);
    }

  private:
    /// Rows [first, end) of a block.
    kernels::kokkos::LabelledRows labelled(std::span<const double> values,
                                           const comm::RowBlock& block, std::int64_t first,
                                           std::int64_t end) const {
        return {values.subspan(at(first) * columns_, at(end - first) * columns_),
                std::span(numbered_.label).subspan(at(block.first + first), at(end - first))};
    }

    void meet(const RowRing& ring) {
        const int size = comm_.size(), rank = comm_.rank(), step = ring.step();
        const int other = (rank + step) % size;
        const auto [own_end, first] = ring.meeting(step);
        const auto clusters = numbered_.clusters();
        std::vector<std::int64_t> theirs(at(ring.present().count) * clusters);
        kernel_.add_between(labelled(matrix_.values, matrix_.rows, 0, own_end),
                            labelled(ring.rows(), ring.present(), first, ring.present().count),
                            std::span(sums_).first(at(own_end) * clusters),
                            std::span(theirs).subspan(at(first) * clusters));
        std::vector<std::int64_t> ours(sums_.size());
        {
            const auto sent = comm_.start_send(std::span<const std::int64_t>(theirs), other, tag);
            const auto received =
                comm_.start_receive(std::span(ours), (rank + size - step) % size, tag);
        }  // both are done
        for (std::size_t i = 0; i < sums_.size(); ++i) sums_[i] += ours[i];
    }

    static constexpr int tag = 2;
    const store::Matrix<double>& matrix_;
    const NumberedLabels& numbered_;
    const comm::Communicator& comm_;
    std::size_t columns_;
    kernels::kokkos::DistanceSums kernel_;
    std::vector<std::int64_t> sums_;
};

}  // namespace

FixedPoint unit_of_distances(const kernels::kokkos::Frame& frame, std::int64_t rows) {
    const double radius = std::sqrt(static_cast<double>(frame.centre.size())) * frame.largest;
    return {2 * radius * (1 + 1e-9), rows};
}

double silhouette_of(std::span<const std::int64_t> sums, const FixedPoint& unit, std::size_t own,
                     std::span<const std::int64_t> sizes) {
    if (sizes[own] == 1) return 0;
    const auto mean = [&](std::size_t cluster, std::int64_t others) {
        return static_cast<double>(sums[cluster]) * unit.unit() / static_cast<double>(others);
    };
    const double within = mean(own, sizes[own] - 1);
    double between = std::numeric_limits<double>::infinity();
    for (std::size_t c = 0; c < sums.size(); ++c)
        if (c != own && sizes[c] > 0) between = std::min(between, mean(c, sizes[c]));
    const double larger = std::max(within, between);
    return larger > 0 ? (between - within) / larger : 0;
}

std::vector<double> silhouettes(const store::Matrix<double>& matrix,
                                std::span<const std::int64_t> labels,
                                const comm::Communicator& comm) {
    const NumberedLabels numbered(labels);
    const auto clusters = numbered.clusters();
    const auto own = static_cast<std::size_t>(matrix.rows.count);
    if (clusters < 2 || clusters >= labels.size()) return std::vector<double>(own, undefined);
    const auto unit = unit_of_distances(
        make_frame(matrix, comm), *std::max_element(numbered.size.begin(), numbered.size.end()));
    const auto sums = SumsOverRanks(matrix, numbered, unit, comm).run();
    std::vector<double> values(own);
    for (std::size_t i = 0; i < own; ++i)
        values[i] = silhouette_of(std::span(sums).subspan(i * clusters, clusters), unit,
                                  at(numbered.label[at(matrix.rows.first) + i]), numbered.size);
    return values;
}

double silhouette(const store::Matrix<double>& matrix, std::span<const std::int64_t> labels,
                  const comm::Communicator& comm) {
    return comm::ordered_sum(silhouettes(matrix, labels, comm), matrix.rows.first, comm) /
           static_cast<double>(matrix.rows.total);
}

double nearest_neighbour_accuracy(const store::Matrix<double>& matrix,
                                  std::span<const std::int64_t> labels,
                                  std::span<const std::int64_t> folds,
                                  const comm::Communicator& comm) {
    const auto mine = labelled_rows(matrix.values, matrix.rows, matrix.columns, labels, folds);
    std::vector<std::int64_t> nearest(mine.row.size(), -1);
    std::vector<double> distance(mine.row.size(), std::numeric_limits<double>::infinity());
    RowRing ring(matrix, comm);
    ring.go_round([&] {
        const auto other =
            labelled_rows(ring.rows(), ring.present(), matrix.columns, labels, folds);
        kernels::kokkos::update_nearest(
            {mine.values, mine.fold, mine.row}, {other.values, other.fold, other.row},
            static_cast<std::size_t>(matrix.columns), nearest, distance);
    });
    std::int64_t counts[2] = {0, 0};  // with a neighbour, with one of the same label
    for (std::size_t i = 0; i < nearest.size(); ++i) {
        if (nearest[i] < 0) continue;
        ++counts[0];
        counts[1] += labels[static_cast<std::size_t>(nearest[i])] ==
                     labels[static_cast<std::size_t>(mine.row[i])];
    }
    comm.sum(std::span<std::int64_t>(counts));
    return counts[0] == 0 ? undefined
                          : static_cast<double>(counts[1]) / static_cast<double>(counts[0]);
}

}  // namespace nanoatlas::cluster
