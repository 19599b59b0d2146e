#include "atlas/exemplars.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace nanoatlas::atlas {
namespace {

double squared_distance(const float* a, const float* b, std::size_t columns) {
    double sum = 0;
    for (std::size_t c = 0; c < columns; ++c) {
        const double step = static_cast<double>(a[c]) - static_cast<double>(b[c]);
        sum += step * step;
    }
    return sum;
}

/// The `most` of them with the lowest value, ascending; of equal ones the lower row.
std::vector<Exemplar> lowest(std::vector<Exemplar> all, std::size_t most) {
    const auto end = all.begin() + static_cast<std::ptrdiff_t>(std::min(most, all.size()));
    std::partial_sort(all.begin(), end, all.end(), [](const Exemplar& a, const Exemplar& b) {
        return a.value != b.value ? a.value < b.value : a.row < b.row;
    });
    all.erase(end, all.end());
    return all;
}

/// Ascending, at even steps of rank, the first and the last among them.
std::vector<Exemplar> evenly(std::vector<Exemplar> all, std::size_t most) {
    const std::size_t size = all.size();
    all = lowest(std::move(all), size);
    if (size <= most) return all;
    std::vector<Exemplar> chosen;
    for (std::size_t i = 0; i < most; ++i) chosen.push_back(all[i * (size - 1) / (most - 1)]);
    return chosen;
}

std::vector<Exemplar> negated(std::vector<Exemplar> all) {
    for (auto& exemplar : all) exemplar.value = -exemplar.value;
    return all;
}

class Chooser {
  public:
    Chooser(const Members& members, std::size_t most)
        : members_(members),
          columns_(static_cast<std::size_t>(members.columns)),
          most_(most),
          clusters_(static_cast<std::size_t>(members.clusters)) {
        for (std::size_t i = 0; i < members.label.size(); ++i)
            if (members.label[i] >= 0)
                clusters_[static_cast<std::size_t>(members.label[i])].rows.push_back(
                    static_cast<std::int64_t>(i));
        for (std::size_t k = 0; k < clusters_.size(); ++k) {
            auto& cluster = clusters_[k];
            cluster.medoid = nearest_to_mean(cluster.rows);
            cluster.centre = k < members.centres.size() ? members.centres[k] : cluster.medoid;
        }
    }

    std::vector<ClusterMembers> choose() {
        const auto count = static_cast<std::int64_t>(clusters_.size());
#pragma omp parallel for schedule(dynamic)
        for (std::int64_t k = 0; k < count; ++k) fill(static_cast<std::size_t>(k));
        return std::move(clusters_);
    }

  private:
    const float* point(std::int64_t row) const {
        return members_.points.data() + static_cast<std::size_t>(row) * columns_;
    }

    std::int64_t nearest_to_mean(const std::vector<std::int64_t>& rows) const {
        if (rows.empty()) return -1;
        std::vector<double> mean(columns_);
        for (const auto row : rows)
            for (std::size_t c = 0; c < columns_; ++c)
                mean[c] += static_cast<double>(point(row)[c]);
        std::vector<float> centre(columns_);
        for (std::size_t c = 0; c < columns_; ++c)
            centre[c] = static_cast<float>(mean[c] / static_cast<double>(rows.size()));
        return *std::min_element(rows.begin(), rows.end(), [&](std::int64_t a, std::int64_t b) {
            return squared_distance(point(a), centre.data(), columns_) <
                   squared_distance(point(b), centre.data(), columns_);
        });
    }

    double distance_to_centre(std::int64_t row, std::size_t cluster) const {
        return std::sqrt(squared_distance(point(row), point(clusters_[cluster].centre), columns_));
    }

    double margin(std::int64_t row, std::size_t own) const {
        double other = std::numeric_limits<double>::infinity();
        for (std::size_t k = 0; k < clusters_.size(); ++k)
            if (k != own && clusters_[k].centre >= 0)
                other = std::min(other, distance_to_centre(row, k));
        const double mine = distance_to_centre(row, own);
        return mine + other > 0 ? (other - mine) / (other + mine) : 0;
    }

    void fill(std::size_t k) {
        auto& cluster = clusters_[k];
        if (cluster.rows.empty()) return;
        std::vector<Exemplar> all, near, far, dense, sparse, border;
        for (const auto row : cluster.rows) {
            const double distance = distance_to_centre(row, k);
            all.push_back({row, distance});
            far.push_back({row, -distance});
            if (row != cluster.centre) near.push_back({row, distance});
            if (!members_.density.empty()) {
                const double density = members_.density[static_cast<std::size_t>(row)];
                dense.push_back({row, -density});
                sparse.push_back({row, density});
            }
            if (clusters_.size() > 1) border.push_back({row, margin(row, k)});
        }
        cluster.nearest = lowest(std::move(near), most_);
        cluster.across = evenly(std::move(all), most_);
        cluster.densest = negated(lowest(std::move(dense), most_));
        cluster.border = lowest(std::move(border), most_);
        cluster.odd = sparse.empty() ? negated(lowest(std::move(far), most_))
                                     : lowest(std::move(sparse), most_);
    }

    const Members& members_;
    std::size_t columns_, most_;
    std::vector<ClusterMembers> clusters_;
};

}  // namespace

std::vector<ClusterMembers> choose_exemplars(const Members& members, std::size_t most) {
    return Chooser(members, most).choose();
}

}  // namespace nanoatlas::atlas
