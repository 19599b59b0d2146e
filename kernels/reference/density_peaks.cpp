#include "kernels/reference/density_peaks.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace nanoatlas::kernels::reference {
namespace {

constexpr double none = -std::numeric_limits<double>::infinity();

class DensityPeaks {
  public:
    DensityPeaks(const NeighbourLists& lists, std::size_t k, std::span<const double> log_density,
                 std::span<const double> error, std::span<const std::int32_t> kstar, double z)
        : lists_(lists),
          k_(k),
          n_(kstar.size()),
          density_(log_density),
          error_(error),
          kstar_(kstar),
          z_(z),
          label_(n_, -1) {
        for (std::size_t i = 0; i < n_; ++i) g_.push_back(density_[i] - error_[i]);
    }

    Peaks run() {
        find_centres();
        assign();
        find_saddles();
        while (merge_highest_insignificant()) {
        }
        return result();
    }

  private:
    std::size_t neighbour(std::size_t i, std::size_t rank) const {
        return static_cast<std::size_t>(lists_.index[i * k_ + rank]);
    }
    std::size_t used(std::size_t i) const { return static_cast<std::size_t>(kstar_[i]); }
    double& saddle(std::size_t a, std::size_t b) { return saddle_[a * centre_.size() + b]; }
    double& saddle_error(std::size_t a, std::size_t b) {
        return saddle_error_[a * centre_.size() + b];
    }
    bool is_centre(std::size_t i) const {
        return std::find(centre_.begin(), centre_.end(), i) != centre_.end();
    }

    // A centre has the highest g of its k* neighbourhood and lies in that of no point higher up.
    void find_centres() {
        for (std::size_t i = 0; i < n_; ++i) {
            bool highest = true;
            for (std::size_t r = 0; r < used(i); ++r)
                highest = highest && g_[neighbour(i, r)] <= g_[i];
            if (highest) centre_.push_back(i);
        }
        overshadowed_by_.assign(n_, n_);
        for (std::size_t i = 0; i < n_; ++i)
            for (std::size_t r = 0; r < used(i); ++r) {
                const auto c = neighbour(i, r);
                if (!is_centre(c) || g_[i] <= g_[c]) continue;
                auto& by = overshadowed_by_[c];
                if (by == n_ || g_[i] > g_[by]) by = i;
            }
        std::erase_if(centre_, [&](std::size_t c) { return overshadowed_by_[c] != n_; });
    }

    // From the highest g down, each point joins its nearest neighbour that has a cluster; one that
    // has none in its list joins the highest point whose neighbourhood it lies in.
    void assign() {
        for (std::size_t c = 0; c < centre_.size(); ++c)
            label_[centre_[c]] = static_cast<std::int32_t>(c);
        std::vector<std::size_t> order(n_);
        std::iota(order.begin(), order.end(), 0);
        std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return g_[a] > g_[b]; });
        for (const auto i : order) {
            for (std::size_t r = 0; r < k_ && label_[i] < 0; ++r)
                label_[i] = label_[neighbour(i, r)];
            if (label_[i] < 0) label_[i] = label_[overshadowed_by_[i]];
        }
    }

    // i stands on a border if its nearest neighbour j of another cluster is within k*, and no point
    // of i's cluster is nearer to j. The saddle of two clusters is the border point of highest g.
    void find_saddles() {
        const auto clusters = centre_.size();
        saddle_.assign(clusters * clusters, none);
        saddle_error_.assign(clusters * clusters, 0);
        std::vector<double> highest(clusters * clusters, none);
        for (std::size_t c = 0; c < clusters; ++c)
            for (std::size_t i = 0; i < n_; ++i) {
                if (label_[i] != static_cast<std::int32_t>(c) || is_centre(i)) continue;
                const auto j = foreign_neighbour(i);
                if (j == n_ || !is_nearest_of_its_cluster(i, j)) continue;
                const auto other = static_cast<std::size_t>(label_[j]);
                if (g_[i] <= highest[c * clusters + other]) continue;
                highest[c * clusters + other] = highest[other * clusters + c] = g_[i];
                saddle(c, other) = saddle(other, c) = density_[i];
                saddle_error(c, other) = saddle_error(other, c) = error_[i];
            }
    }

    std::size_t foreign_neighbour(std::size_t i) const {
        for (std::size_t r = 0; r < used(i); ++r)
            if (label_[neighbour(i, r)] != label_[i]) return neighbour(i, r);
        return n_;
    }

    bool is_nearest_of_its_cluster(std::size_t i, std::size_t j) const {
        for (std::size_t r = 0; r < k_ && neighbour(j, r) != i; ++r)
            if (label_[neighbour(j, r)] == label_[i]) return false;
        return true;
    }

    double margin(std::size_t peak, std::size_t other) {
        return (density_[centre_[peak]] - saddle(peak, other)) /
               (error_[centre_[peak]] + saddle_error(peak, other));
    }

    // Of the saddles that a peak does not stand above significantly, the highest is levelled: the
    // peak of greater margin takes the other's points and saddles.
    bool merge_highest_insignificant() {
        std::size_t keep = 0, drop = 0;
        double highest = none;
        for (std::size_t a = 0; a < centre_.size(); ++a)
            for (std::size_t b = a + 1; b < centre_.size(); ++b)
                if (saddle(a, b) > highest && (margin(a, b) < z_ || margin(b, a) < z_)) {
                    highest = saddle(a, b);
                    keep = a;
                    drop = b;
                }
        if (highest == none) return false;
        if (margin(keep, drop) < margin(drop, keep)) std::swap(keep, drop);
        std::replace(label_.begin(), label_.end(), static_cast<std::int32_t>(drop),
                     static_cast<std::int32_t>(keep));
        for (std::size_t c = 0; c < centre_.size(); ++c) {
            if (c != keep && c != drop && saddle(drop, c) > saddle(keep, c)) {
                saddle(keep, c) = saddle(c, keep) = saddle(drop, c);
                saddle_error(keep, c) = saddle_error(c, keep) = saddle_error(drop, c);
            }
            saddle(drop, c) = saddle(c, drop) = none;
        }
        return true;
    }

    Peaks result() {
        Peaks peaks;
        std::vector<std::size_t> kept;
        for (std::size_t c = 0; c < centre_.size(); ++c)
            if (label_[centre_[c]] == static_cast<std::int32_t>(c)) kept.push_back(c);
        std::vector<double> top(centre_.size(), none);
        constexpr double nan = std::numeric_limits<double>::quiet_NaN();
        for (const auto a : kept) {
            peaks.centre.push_back(static_cast<std::int64_t>(centre_[a]));
            for (const auto b : kept) {
                const bool meet = saddle(a, b) != none;
                peaks.saddle_density.push_back(meet ? saddle(a, b) : nan);
                peaks.saddle_error.push_back(meet ? saddle_error(a, b) : nan);
                top[a] = std::max(top[a], saddle(a, b));
            }
        }
        for (std::size_t i = 0; i < n_; ++i) {
            const auto c = static_cast<std::size_t>(label_[i]);
            peaks.label.push_back(
                static_cast<std::int32_t>(std::find(kept.begin(), kept.end(), c) - kept.begin()));
            peaks.halo.push_back(density_[i] < top[c] ? 1 : 0);
        }
        return peaks;
    }

    const NeighbourLists& lists_;
    std::size_t k_, n_;
    std::span<const double> density_, error_;
    std::span<const std::int32_t> kstar_;
    double z_;
    std::vector<double> g_;
    std::vector<std::size_t> centre_, overshadowed_by_;
    std::vector<std::int32_t> label_;
    std::vector<double> saddle_, saddle_error_;
};

}  // namespace

Peaks density_peaks(const NeighbourLists& lists, std::size_t k, std::span<const double> log_density,
                    std::span<const double> error, std::span<const std::int32_t> kstar,
                    double significance) {
    return DensityPeaks(lists, k, log_density, error, kstar, significance).run();
}

}  // namespace nanoatlas::kernels::reference
