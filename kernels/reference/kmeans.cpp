#include "kernels/reference/kmeans.hpp"

#include <algorithm>
#include <numeric>

namespace nanoatlas::kernels::reference {
namespace {

class Lloyd {
  public:
    Lloyd(std::span<const double> rows, std::span<const double> start, std::size_t columns)
        : rows_(rows),
          columns_(columns),
          n_(rows.size() / columns),
          clusters_(start.size() / columns),
          centre_(start.begin(), start.end()),
          label_(n_, -1) {}

    KMeans run(int most_iterations) {
        KMeans result;
        bool changed = true;
        while (changed && result.iterations < most_iterations) {
            changed = assign();
            changed = refill() || changed;
            ++result.iterations;
            if (changed) move();
        }
        if (changed) assign();
        for (std::size_t i = 0; i < n_; ++i) result.inertia += square(i, at(label_[i]));
        result.label = label_;
        result.centre = centre_;
        return result;
    }

  private:
    static std::size_t at(std::int32_t label) { return static_cast<std::size_t>(label); }

    double square(std::size_t i, std::size_t k) const {
        double sum = 0;
        for (std::size_t c = 0; c < columns_; ++c) {
            const double difference = rows_[i * columns_ + c] - centre_[k * columns_ + c];
            sum += difference * difference;
        }
        return sum;
    }

    bool assign() {
        const auto before = label_;
        for (std::size_t i = 0; i < n_; ++i) {
            std::size_t nearest = 0;
            for (std::size_t k = 1; k < clusters_; ++k)
                if (square(i, k) < square(i, nearest)) nearest = k;
            label_[i] = static_cast<std::int32_t>(nearest);
        }
        return label_ != before;
    }

    std::ptrdiff_t size(std::int32_t k) const {
        return std::count(label_.begin(), label_.end(), k);
    }

    bool refill() {
        std::vector<std::size_t> far(n_);
        std::vector<double> distance(n_);
        for (std::size_t i = 0; i < n_; ++i) distance[i] = square(i, at(label_[i]));
        std::iota(far.begin(), far.end(), 0);
        std::stable_sort(far.begin(), far.end(),
                         [&](auto i, auto j) { return distance[i] > distance[j]; });
        std::vector<std::int32_t> empty;
        for (std::int32_t k = 0; at(k) < clusters_; ++k)
            if (size(k) == 0) empty.push_back(k);
        std::size_t filled = 0;
        for (const auto i : far) {
            if (filled == empty.size() || distance[i] == 0) break;
            if (size(label_[i]) > 1) label_[i] = empty[filled++];
        }
        return filled > 0;
    }

    void move() {
        for (std::size_t k = 0; k < clusters_; ++k) {
            const auto count = static_cast<double>(size(static_cast<std::int32_t>(k)));
            if (count == 0) continue;
            for (std::size_t c = 0; c < columns_; ++c) {
                double sum = 0;
                for (std::size_t i = 0; i < n_; ++i)
                    if (at(label_[i]) == k) sum += rows_[i * columns_ + c];
                centre_[k * columns_ + c] = sum / count;
            }
        }
    }

    std::span<const double> rows_;
    std::size_t columns_, n_, clusters_;
    std::vector<double> centre_;
    std::vector<std::int32_t> label_;
};

}  // namespace

KMeans kmeans(std::span<const double> rows, std::span<const double> start, std::size_t columns,
              int most_iterations) {
    return Lloyd(rows, start, columns).run(most_iterations);
}

}  // namespace nanoatlas::kernels::reference
