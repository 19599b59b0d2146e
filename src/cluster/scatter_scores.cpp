#include "cluster/scatter_scores.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "cluster/frame.hpp"
#include "cluster/numbered_labels.hpp"
#include "kernels/kokkos/fixed_point.hpp"

namespace nanoatlas::cluster {
namespace {

class Scatter {
  public:
    Scatter(const store::Matrix<double>& matrix, const NumberedLabels& numbered,
            const comm::Communicator& comm)
        : matrix_(matrix),
          comm_(comm),
          columns_(static_cast<std::size_t>(matrix.columns)),
          size_(numbered.size),
          label_(std::span(numbered.label)
                     .subspan(static_cast<std::size_t>(matrix.rows.first),
                              static_cast<std::size_t>(matrix.rows.count))),
          frame_(make_frame(matrix, comm)) {
        find_centroids();
        measure_rows();
    }

    double davies_bouldin() const {
        const auto spread = mean_distances();
        if (*std::max_element(spread.begin(), spread.end()) <= negligible) return 0;
        double sum = 0, furthest = 0;
        for (std::size_t a = 0; a < spread.size(); ++a) {
            double worst = 0;
            for (std::size_t b = 0; b < spread.size(); ++b) {
                const double apart = std::sqrt(square(&centroid_[a * columns_], b));
                furthest = std::max(furthest, apart);
                if (apart > 0) worst = std::max(worst, (spread[a] + spread[b]) / apart);
            }
            sum += worst;
        }
        return furthest <= negligible ? 0 : sum / static_cast<double>(spread.size());
    }

    double calinski_harabasz() const {
        const double within = comm::ordered_sum(squares_, matrix_.rows.first, comm_);
        if (within == 0) return 1;
        double between = 0;
        for (std::size_t k = 0; k < size_.size(); ++k) {
            double from_mean = 0;
            for (std::size_t c = 0; c < columns_; ++c) {
                const double offset = centroid_[k * columns_ + c] - frame_.centre[c];
                from_mean += offset * offset;
            }
            between += static_cast<double>(size_[k]) * from_mean;
        }
        const auto rows = static_cast<double>(matrix_.rows.total);
        const auto clusters = static_cast<double>(size_.size());
        return between * (rows - clusters) / (within * (clusters - 1));
    }

  private:
    // What scikit-learn takes for 0, as numpy.allclose does.
    static constexpr double negligible = 1e-8;

    std::size_t cluster_of(std::size_t i) const { return static_cast<std::size_t>(label_[i]); }

    double square(const double* row, std::size_t k) const {
        double sum = 0;
        for (std::size_t c = 0; c < columns_; ++c) {
            const double difference = row[c] - centroid_[k * columns_ + c];
            sum += difference * difference;
        }
        return sum;
    }

    void find_centroids() {
        const kernels::kokkos::FixedPoint fixed(frame_.largest, matrix_.rows.total);
        std::vector<std::int64_t> sums(size_.size() * columns_);
        for (std::size_t i = 0; i < label_.size(); ++i)
            for (std::size_t c = 0; c < columns_; ++c)
                sums[cluster_of(i) * columns_ + c] +=
                    fixed.whole(matrix_.values[i * columns_ + c] - frame_.centre[c]);
        comm_.sum(std::span(sums));
        for (std::size_t i = 0; i < sums.size(); ++i)
            centroid_.push_back(frame_.centre[i % columns_] +
                                static_cast<double>(sums[i]) * fixed.unit() /
                                    static_cast<double>(size_[i / columns_]));
    }

    void measure_rows() {
        squares_.resize(label_.size());
#pragma omp parallel for
        for (std::size_t i = 0; i < squares_.size(); ++i)
            squares_[i] = square(&matrix_.values[i * columns_], cluster_of(i));
    }

    // Of each cluster's rows from its centroid; summed as whole numbers.
    std::vector<double> mean_distances() const {
        double largest = 0;
        for (const double value : squares_) largest = std::max(largest, std::sqrt(value));
        largest = comm_.max(largest);
        std::vector<double> mean(size_.size());
        if (largest == 0) return mean;
        const kernels::kokkos::FixedPoint fixed(largest, matrix_.rows.total);
        std::vector<std::int64_t> sums(size_.size());
        for (std::size_t i = 0; i < squares_.size(); ++i)
            sums[cluster_of(i)] += fixed.whole(std::sqrt(squares_[i]));
        comm_.sum(std::span(sums));
        for (std::size_t k = 0; k < mean.size(); ++k)
            mean[k] = static_cast<double>(sums[k]) * fixed.unit() / static_cast<double>(size_[k]);
        return mean;
    }

    const store::Matrix<double>& matrix_;
    const comm::Communicator& comm_;
    std::size_t columns_;
    const std::vector<std::int64_t>& size_;
    std::span<const std::int32_t> label_;  // of this rank's rows
    kernels::kokkos::Frame frame_;         // its centre is the mean of all rows
    std::vector<double> centroid_;         // [K, columns]
    std::vector<double> squares_;          // of this rank's rows from their centroid
};

}  // namespace

ScatterScores scatter_scores(const store::Matrix<double>& matrix,
                             std::span<const std::int64_t> labels, const comm::Communicator& comm) {
    const NumberedLabels numbered(labels);
    if (numbered.clusters() < 2 || numbered.clusters() >= labels.size()) {
        constexpr double undefined = std::numeric_limits<double>::quiet_NaN();
        return {undefined, undefined};
    }
    const Scatter scatter(matrix, numbered, comm);
    return {scatter.davies_bouldin(), scatter.calinski_harabasz()};
}

}  // namespace nanoatlas::cluster
