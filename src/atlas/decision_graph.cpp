#include "atlas/decision_graph.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "comm/distribution.hpp"

namespace nanoatlas::atlas {
namespace {

/// The points in ascending order of their first column.
class Sweep {
  public:
    Sweep(std::span<const float> points, std::int64_t columns, std::span<const double> density)
        : points_(points),
          columns_(static_cast<std::size_t>(columns)),
          density_(density),
          order_(density.size()) {
        std::iota(order_.begin(), order_.end(), std::size_t{0});
        std::sort(order_.begin(), order_.end(), [&](std::size_t a, std::size_t b) {
            return first(a) != first(b) ? first(a) < first(b) : a < b;
        });
    }
    std::size_t point_at(std::size_t place) const { return order_[place]; }

    /// Squared distance from the point at this place to the nearest denser one; infinite if none.
    double to_nearest_denser(std::size_t place) const {
        const std::size_t i = order_[place];
        double best = std::numeric_limits<double>::infinity();
        std::size_t below = place, above = place + 1;
        // The two arms advance in turn; one ends where its first column alone is too far.
        for (bool down = true, up = true; down || up;) {
            down = down && below > 0 && visit(i, order_[below - 1], best);
            if (down) --below;
            up = up && above < order_.size() && visit(i, order_[above], best);
            if (up) ++above;
        }
        return best;
    }

    double to_farthest(std::size_t i) const {
        double farthest = 0;
        for (std::size_t j = 0; j < density_.size(); ++j)
            farthest =
                std::max(farthest, squared_distance(i, j, std::numeric_limits<double>::infinity()));
        return farthest;
    }

  private:
    float first(std::size_t i) const { return points_[i * columns_]; }

    /// False once j is too far along the first column for it or any beyond it to be nearer.
    bool visit(std::size_t i, std::size_t j, double& best) const {
        const double step = static_cast<double>(first(i)) - static_cast<double>(first(j));
        if (step * step > best) return false;
        const bool denser = density_[j] > density_[i] || (density_[j] == density_[i] && j < i);
        if (denser) best = std::min(best, squared_distance(i, j, best));
        return true;
    }

    /// Gives up, with what it has, once it is above the limit.
    double squared_distance(std::size_t i, std::size_t j, double limit) const {
        const float* a = points_.data() + i * columns_;
        const float* b = points_.data() + j * columns_;
        double sum = 0;
        for (std::size_t c = 0; c < columns_ && sum <= limit; ++c) {
            const double step = static_cast<double>(a[c]) - static_cast<double>(b[c]);
            sum += step * step;
        }
        return sum;
    }

    std::span<const float> points_;
    std::size_t columns_;
    std::span<const double> density_;
    std::vector<std::size_t> order_;
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
        if (std::isinf(squared)) squared = sweep.to_farthest(sweep.point_at(place));
        own[static_cast<std::size_t>(p)] = static_cast<float>(std::sqrt(squared));
    }
    const auto by_place = comm.all_gather(own);
    std::vector<float> result(density.size());
    for (std::size_t place = 0; place < by_place.size(); ++place)
        result[sweep.point_at(place)] = by_place[place];
    return result;
}

}  // namespace nanoatlas::atlas
