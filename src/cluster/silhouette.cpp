#include "cluster/silhouette.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/check.hpp"
#include "cluster/numbered_labels.hpp"
#include "cluster/row_blocks.hpp"
#include "kernels/kokkos/distance_sums.hpp"

namespace nanoatlas::cluster {
namespace {

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

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

}  // namespace

double silhouette_of(std::span<const double> sums, std::size_t own,
                     std::span<const std::int64_t> sizes) {
    if (sizes[own] == 1) return 0;
    const double within = sums[own] / static_cast<double>(sizes[own] - 1);
    double between = std::numeric_limits<double>::infinity();
    for (std::size_t c = 0; c < sums.size(); ++c)
        if (c != own && sizes[c] > 0)
            between = std::min(between, sums[c] / static_cast<double>(sizes[c]));
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
    std::vector<double> sums(own * clusters);
    for_each_block(matrix, comm, [&](const RowsOfRank& block) {
        kernels::kokkos::add_distances_by_label(
            matrix.values, block.values, static_cast<std::size_t>(matrix.columns),
            std::span(numbered.label)
                .subspan(static_cast<std::size_t>(block.rows.first),
                         static_cast<std::size_t>(block.rows.count)),
            clusters, sums);
    });
    std::vector<double> values(own);
    for (std::size_t i = 0; i < own; ++i)
        values[i] =
            silhouette_of(std::span(sums).subspan(i * clusters, clusters),
                          static_cast<std::size_t>(
                              numbered.label[static_cast<std::size_t>(matrix.rows.first) + i]),
                          numbered.size);
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
    for_each_block(matrix, comm, [&](const RowsOfRank& block) {
        const auto other = labelled_rows(block.values, block.rows, matrix.columns, labels, folds);
        std::vector<std::int64_t> place(mine.row.size(), -1);
        kernels::kokkos::update_nearest(mine.values, mine.fold, other.values, other.fold,
                                        static_cast<std::size_t>(matrix.columns), place, distance);
        for (std::size_t i = 0; i < place.size(); ++i)
            if (place[i] >= 0) nearest[i] = other.row[static_cast<std::size_t>(place[i])];
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
