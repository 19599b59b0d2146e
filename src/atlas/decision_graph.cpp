#include "atlas/decision_graph.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "comm/distribution.hpp"

namespace nanoatlas::atlas {
namespace {

/// The points in ascending order of their first column, side by side in memory in that order.
class Sweep {
  public:
    Sweep(std::span<const float> points, std::int64_t columns, std::span<const double> density)
        : columns_(static_cast<std::size_t>(columns)),
          row_(density.size()),
          rank_(density.size()),
          points_(points.size()) {
        std::iota(row_.begin(), row_.end(), std::size_t{0});
        std::sort(row_.begin(), row_.end(), [&](std::size_t a, std::size_t b) {
            const float x = points[a * columns_], y = points[b * columns_];
            return x != y ? x < y : a < b;
        });
        for (std::size_t place = 0; place < row_.size(); ++place)
            std::copy_n(points.begin() + static_cast<std::ptrdiff_t>(row_[place] * columns_),
                        columns_, points_.begin() + static_cast<std::ptrdiff_t>(place * columns_));
        set_ranks(density);
    }
    std::size_t row_at(std::size_t place) const { return row_[place]; }

    /// Squared distance from the point at this place to the nearest denser one; infinite if none.
    double to_nearest_denser(std::size_t place) const {
        double best = std::numeric_limits<double>::infinity();
        std::size_t below = place, above = place + 1;
        // The two arms advance in turn; one ends where its first column alone is too far.
        for (bool down = true, up = true; down || up;) {
            down = down && below > 0 && visit(place, below - 1, best);
            if (down) --below;
            up = up && above < row_.size() && visit(place, above, best);
            if (up) ++above;
        }
        return best;
    }

    double to_farthest(std::size_t place) const {
        double farthest = 0;
        for (std::size_t other = 0; other < row_.size(); ++other)
            farthest = std::max(
                farthest, squared_distance(place, other, std::numeric_limits<double>::infinity()));
        return farthest;
    }

  private:
    /// rank_ 0 is the densest point.
    void set_ranks(std::span<const double> density) {
        std::vector<std::size_t> places(row_.size());
        std::iota(places.begin(), places.end(), std::size_t{0});
        std::sort(places.begin(), places.end(), [&](std::size_t a, std::size_t b) {
            const double x = density[row_[a]], y = density[row_[b]];
            return x != y ? x > y : row_[a] < row_[b];
        });
        for (std::size_t rank = 0; rank < places.size(); ++rank) rank_[places[rank]] = rank;
    }

    const float* point(std::size_t place) const { return points_.data() + place * columns_; }

    /// False once the other is too far along the first column for it or any beyond it to be nearer.
    bool visit(std::size_t place, std::size_t other, double& best) const {
        const double step = static_cast<double>(*point(place)) - static_cast<double>(*point(other));
        if (step * step > best) return false;
        if (rank_[other] < rank_[place])
            best = std::min(best, squared_distance(place, other, best));
        return true;
    }

    /// Gives up, with what it has, once it is above the limit. Eight sums side by side, so that
    /// they fill a vector register.
    double squared_distance(std::size_t place, std::size_t other, double limit) const {
        constexpr std::size_t width = 8;
        const float* a = point(place);
        const float* b = point(other);
        std::array<double, width> parts{};
        double sum = 0;
        std::size_t c = 0;
        for (; c + width <= columns_; c += width) {
            for (std::size_t i = 0; i < width; ++i) {
                const double step = static_cast<double>(a[c + i]) - static_cast<double>(b[c + i]);
                parts[i] += step * step;
            }
            sum = std::accumulate(parts.begin(), parts.end(), 0.0);
            if (sum > limit) return sum;
        }
        for (; c < columns_; ++c) {
            const double step = static_cast<double>(a[c]) - static_cast<double>(b[c]);
            sum += step * step;
        }
        return sum;
    }

    std::size_t columns_;
    std::vector<std::size_t> row_, rank_;  ///< by place
    std::vector<float> points_;
};

}  // namespace

std::vector<float> separations(std::span<const float> points, std::int64_t columns,
                               std::span<const double> density, const comm::Communicator& comm) {
    const Sweep sweep(points, columns, density);
    const auto block = comm::row_block(static_cast<std::int64_t>(density.size()), comm);
    std::vector<float> own(static_cast<std::size_t>(block.count));
#pragma omp parallel for schedule(dynamic, 64)
    for (std::int64_t p = 0; p < block.count; ++p) {
        const auto place = static_cast<std::size_t>(block.first + p);
        double squared = sweep.to_nearest_denser(place);
        if (std::isinf(squared)) squared = sweep.to_farthest(place);
        own[static_cast<std::size_t>(p)] = static_cast<float>(std::sqrt(squared));
    }
    const auto by_place = comm.all_gather(own);
    std::vector<float> result(density.size());
    for (std::size_t place = 0; place < by_place.size(); ++place)
        result[sweep.row_at(place)] = by_place[place];
    return result;
}

}  // namespace nanoatlas::atlas
