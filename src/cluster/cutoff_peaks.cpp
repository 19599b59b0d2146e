#include "cluster/cutoff_peaks.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/check.hpp"
#include "base/progress.hpp"
#include "cluster/row_ring.hpp"

namespace nanoatlas::cluster {
namespace {

std::size_t at(std::int64_t row) {
    return static_cast<std::size_t>(row);
}

class PeakSearch {
  public:
    PeakSearch(const store::Matrix<double>& matrix, const CutoffPeaksOptions& options,
               const comm::Communicator& comm)
        : matrix_(matrix),
          options_(options),
          comm_(comm),
          columns_(at(matrix.columns)),
          progress_("cluster/dp", 3 * matrix.rows.total, "rows") {}

    CutoffPeaks run() {
        measure_density();
        find_parents();
        choose_centres();
        assign();
        mark_halo();
        return std::move(peaks_);
    }

  private:
    template <class T>
    std::span<const T> part(const std::vector<T>& all, const comm::RowBlock& rows) const {
        return std::span(all).subspan(at(rows.first), at(rows.count));
    }

    /// visit(values, rows) for the rows of each rank.
    template <class Visit>
    void compare(const Visit& visit) {
        RowRing ring(matrix_, comm_);
        ring.go_round([&] {
            visit(ring.rows(), ring.present());
            progress_.advance(ring.present().count);
        });
    }

    void measure_density() {
        int exponent = 0;
        std::frexp(static_cast<double>(matrix_.rows.total), &exponent);
        peaks_.density.assign(at(matrix_.rows.count), -1);  // less the row itself, at distance 0
        compare([&](std::span<const double> values, const comm::RowBlock&) {
            kernels::kokkos::add_density(matrix_.values, values, columns_, options_.cutoff,
                                         options_.kernel, 52 - exponent, peaks_.density);
        });
        density_ = comm_.all_gather(peaks_.density);
    }

    void find_parents() {
        peaks_.parent.assign(at(matrix_.rows.count), -1);
        std::vector<double> squared(peaks_.parent.size(), std::numeric_limits<double>::infinity());
        const kernels::kokkos::RankedRows own{matrix_.values, peaks_.density, matrix_.rows.first};
        compare([&](std::span<const double> values, const comm::RowBlock& rows) {
            kernels::kokkos::update_nearest_denser(own, {values, part(density_, rows), rows.first},
                                                   columns_, peaks_.parent, squared);
        });
        for (const double value : squared) peaks_.delta.push_back(std::sqrt(value));
        set_delta_of_densest();
        parent_ = comm_.all_gather(peaks_.parent);
        delta_ = comm_.all_gather(peaks_.delta);
    }

    // The largest distance of the densest row from any other.
    void set_delta_of_densest() {
        std::vector<double> own;
        for (std::size_t i = 0; i < peaks_.parent.size(); ++i)
            if (peaks_.parent[i] < 0)
                own.assign(&matrix_.values[i * columns_], &matrix_.values[i * columns_] + columns_);
        const auto densest = comm_.all_gather(own);
        double largest = 0;
        for (std::int64_t i = 0; i < matrix_.rows.count; ++i) {
            double square = 0;
            for (std::size_t c = 0; c < columns_; ++c) {
                const double difference = matrix_.row(i)[c] - densest[c];
                square += difference * difference;
            }
            largest = std::max(largest, square);
        }
        largest = std::sqrt(comm_.max(largest));
        for (std::size_t i = 0; i < peaks_.parent.size(); ++i)
            if (peaks_.parent[i] < 0) peaks_.delta[i] = largest;
    }

    void choose_centres() {
        std::vector<double> gamma;
        for (std::size_t i = 0; i < density_.size(); ++i) gamma.push_back(density_[i] * delta_[i]);
        std::vector<std::int64_t> order(gamma.size());
        std::iota(order.begin(), order.end(), 0);
        std::sort(order.begin(), order.end(), [&](auto i, auto j) {
            return gamma[at(i)] > gamma[at(j)] || (gamma[at(i)] == gamma[at(j)] && i < j);
        });
        const auto count = options_.clusters > 0 ? static_cast<std::size_t>(options_.clusters)
                                                 : count_by_gap(gamma, order);
        peaks_.centre.assign(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count));
        std::sort(peaks_.centre.begin(), peaks_.centre.end());
    }

    // The place, among the first square root of the rows, where gamma falls as chance would least
    // have it. Gammas of rows that are no centres end in a power law, and then
    // k log(gamma_k / gamma_k+1) are independent and exponential, with one mean (Renyi, Acta Math.
    // Acad. Sci. Hung. 4 (1953) 191): the largest is the least likely.
    static std::size_t count_by_gap(const std::vector<double>& gamma,
                                    const std::vector<std::int64_t>& order) {
        const auto last = std::min(
            gamma.size() - 1,
            static_cast<std::size_t>(std::ceil(std::sqrt(static_cast<double>(gamma.size())))));
        std::size_t count = 1;
        double largest = 0;
        for (std::size_t k = 1; k <= last; ++k) {
            const double here = gamma[at(order[k - 1])], next = gamma[at(order[k])];
            if (next == 0) return k;  // all others lie on a denser row
            const double fall = static_cast<double>(k) * std::log(here / next);
            if (fall <= largest) continue;
            largest = fall;
            count = k;
        }
        return count;
    }

    void assign() {
        label_.assign(parent_.size(), -1);
        for (std::size_t c = 0; c < peaks_.centre.size(); ++c)
            label_[at(peaks_.centre[c])] = static_cast<std::int32_t>(c);
        for (std::int64_t row = 0; row < matrix_.rows.total; ++row) {
            auto top = row;
            while (label_[at(top)] < 0) top = parent_[at(top)];
            const auto label = label_[at(top)];
            for (auto on_way = row; label_[at(on_way)] < 0; on_way = parent_[at(on_way)])
                label_[at(on_way)] = label;
        }
        const auto own = part(label_, matrix_.rows);
        peaks_.label.assign(own.begin(), own.end());
    }

    void mark_halo() {
        std::vector<std::uint8_t> on_border(peaks_.label.size());
        compare([&](std::span<const double> values, const comm::RowBlock& rows) {
            kernels::kokkos::mark_borders(matrix_.values, peaks_.label, values, part(label_, rows),
                                          columns_, options_.cutoff, on_border);
        });
        std::vector<double> border(peaks_.centre.size(), -1);
        for (std::size_t i = 0; i < on_border.size(); ++i) {
            auto& highest = border[static_cast<std::size_t>(peaks_.label[i])];
            if (on_border[i] != 0) highest = std::max(highest, peaks_.density[i]);
        }
        comm_.max(std::span(border));
        for (std::size_t i = 0; i < on_border.size(); ++i)
            peaks_.halo.push_back(
                peaks_.density[i] <= border[static_cast<std::size_t>(peaks_.label[i])] ? 1 : 0);
    }

    const store::Matrix<double>& matrix_;
    const CutoffPeaksOptions& options_;
    const comm::Communicator& comm_;
    std::size_t columns_;
    base::Progress progress_;
    CutoffPeaks peaks_;
    std::vector<double> density_, delta_;  // of all rows
    std::vector<std::int64_t> parent_;
    std::vector<std::int32_t> label_;
};

}  // namespace

CutoffPeaks cutoff_peaks(const store::Matrix<double>& matrix, const CutoffPeaksOptions& options,
                         const comm::Communicator& comm) {
    VALIDATE(matrix.rows.total >= 2,
             "the matrix has {} row (a density takes at least 2); give more", matrix.rows.total);
    VALIDATE(options.cutoff > 0 && std::isfinite(options.cutoff),
             "the cutoff distance is {} (a density counts rows within it); give one above 0",
             options.cutoff);
    VALIDATE(options.clusters >= 0 && options.clusters <= matrix.rows.total,
             "--k is {} of {} rows; give 1 or more, or leave it away for as many as stand out",
             options.clusters, matrix.rows.total);
    return PeakSearch(matrix, options, comm).run();
}

}  // namespace nanoatlas::cluster
