#include "cluster/lloyd.hpp"

#include <algorithm>
#include <cmath>

#include "cluster/frame.hpp"

namespace nanoatlas::cluster {

Lloyd::Lloyd(const store::Matrix<double>& matrix, std::size_t clusters,
             const comm::Communicator& comm)
    : matrix_(matrix),
      comm_(comm),
      columns_(static_cast<std::size_t>(matrix.columns)),
      clusters_(clusters),
      frame_(make_frame(matrix, comm)),
      rows_(matrix.values, frame_, clusters, matrix.rows.total) {}

KMeans Lloyd::run(std::vector<double> start, int iterations) {
    centre_ = std::move(start);
    rows_.restart();
    totals_.assign(clusters_ * (columns_ + 1), 0);
    KMeans result;
    while (!result.converged && result.iterations < iterations) {
        auto changed = add_changes(rows_.assign(centre_));
        if (refill_empty_clusters()) changed += add_changes(1);
        ++result.iterations;
        result.converged = changed == 0;
        if (!result.converged) move_centres();
    }
    if (!result.converged) add_changes(rows_.assign(centre_));
    describe(result);
    return result;
}

std::int64_t Lloyd::add_changes(std::int64_t changed) {
    std::vector<std::int64_t> change(totals_.size() + 1);
    const auto all = std::span(change);
    rows_.add_changes(all.first(clusters_ * columns_),
                      all.subspan(clusters_ * columns_, clusters_));
    change.back() = changed;
    comm_.sum(all);
    for (std::size_t i = 0; i < totals_.size(); ++i) totals_[i] += change[i];
    return change.back();
}

void Lloyd::move_centres() {
    for (std::size_t k = 0; k < clusters_; ++k) {
        if (counts()[k] == 0) continue;
        const auto count = static_cast<double>(counts()[k]);
        for (std::size_t c = 0; c < columns_; ++c)
            centre_[k * columns_ + c] =
                frame_.centre[c] +
                static_cast<double>(totals_[k * columns_ + c]) * rows_.fixed_point().unit() / count;
    }
}

struct Lloyd::Far {
    double square;
    std::int64_t row;
    std::int32_t label;
    bool operator<(const Far& other) const {
        return square > other.square || (square == other.square && row < other.row);
    }
};

bool Lloyd::refill_empty_clusters() {
    std::vector<std::int32_t> empty;
    for (std::size_t k = 0; k < clusters_; ++k)
        if (counts()[k] == 0) empty.push_back(static_cast<std::int32_t>(k));
    if (empty.empty()) return false;
    std::vector<std::int64_t> left(counts().begin(), counts().end());
    std::size_t filled = 0;
    for (const auto& far : furthest_rows(empty.size() + clusters_)) {
        auto& size = left[static_cast<std::size_t>(far.label)];
        if (filled == empty.size() || far.square == 0) break;
        if (size == 1) continue;
        --size;
        if (far.row >= matrix_.rows.first && far.row < matrix_.rows.end())
            rows_.set_label(static_cast<std::size_t>(far.row - matrix_.rows.first), empty[filled]);
        ++filled;
    }
    return filled > 0;
}

std::vector<Lloyd::Far> Lloyd::furthest_rows(std::size_t count) const {
    const auto squares = rows_.squared_distances(centre_);
    const auto labels = rows_.labels();
    std::vector<Far> own;
    for (std::size_t i = 0; i < squares.size(); ++i)
        own.push_back({squares[i], matrix_.rows.first + static_cast<std::int64_t>(i), labels[i]});
    const auto kept = static_cast<std::ptrdiff_t>(std::min(count, own.size()));
    std::partial_sort(own.begin(), own.begin() + kept, own.end());
    own.resize(static_cast<std::size_t>(kept));
    auto all = comm_.all_gather(own);
    std::sort(all.begin(), all.end());
    return all;
}

void Lloyd::describe(KMeans& result) const {
    result.label = rows_.labels();
    result.centroid = centre_;
    result.size.assign(counts().begin(), counts().end());
    result.distance = rows_.squared_distances(centre_);
    result.inertia = comm::ordered_sum(result.distance, matrix_.rows.first, comm_);
    for (auto& value : result.distance) value = std::sqrt(value);
}

}  // namespace nanoatlas::cluster
