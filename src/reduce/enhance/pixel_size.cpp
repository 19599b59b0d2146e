// Features and magnification: the logarithm of the pixel size as a column, or taken out of all.
#include <cmath>
#include <optional>

#include "base/log.hpp"
#include "reduce/enhance/columns.hpp"
#include "reduce/enhance/step.hpp"

namespace nanoatlas::reduce {
namespace {

bool is_known(double size) {
    return std::isfinite(size) && size > 0;
}

/// Of all rows: the logarithm of the size, less its mean, over its standard deviation; 0 where it
/// is unknown. None if fewer than two sizes differ. Every rank computes it of the whole column.
std::optional<std::vector<double>> standard_scores(const std::vector<double>& sizes) {
    double count = 0, mean = 0, variance = 0;
    bool differ = false;
    double first = 0;
    for (const double size : sizes)
        if (is_known(size)) {
            if (count == 0) first = size;
            differ = differ || size != first;
            count += 1;
            mean += std::log(size);
        }
    if (!differ) return std::nullopt;
    mean /= count;
    for (const double size : sizes)
        if (is_known(size)) variance += (std::log(size) - mean) * (std::log(size) - mean) / count;
    std::vector<double> scores;
    scores.reserve(sizes.size());
    for (const double size : sizes)
        scores.push_back(is_known(size) ? (std::log(size) - mean) / std::sqrt(variance) : 0);
    return scores;
}

void say_that_all_are_the_same(const char* step) {
    base::log_warning(fmt::format(
        "enhancement step '{}' changes nothing: no two images are known to differ in pixel size",
        step));
}

class Scale : public EnhancementStep {
  public:
    explicit Scale(double weight) : weight_(weight) {}
    bool needs_pixel_size() const override { return true; }

    void apply(FeatureMatrix& matrix, const Surroundings& surroundings) const override {
        const auto scores = standard_scores(surroundings.pixel_size);
        if (!scores) return say_that_all_are_the_same("scale");
        const auto& comm = surroundings.comm;
        const auto squares = squared_distances(matrix, column_means(matrix, comm));
        const auto rows = static_cast<double>(matrix.rows.total);
        const double variance = comm::ordered_sum(squares, matrix.rows.first, comm) / rows;
        double own = 0;  // of the scores: below 1 where sizes are unknown
        for (const double score : *scores) own += score * score / rows;
        const double factor = std::sqrt(weight_ * variance / own);
        FeatureMatrix wider{.rows = matrix.rows, .columns = matrix.columns + 1, .values = {}};
        wider.values.reserve(static_cast<std::size_t>(wider.rows.count * wider.columns));
        for (std::int64_t i = 0; i < matrix.rows.count; ++i) {
            const auto row = matrix.row(i);
            wider.values.insert(wider.values.end(), row.begin(), row.end());
            const double score = (*scores)[static_cast<std::size_t>(matrix.rows.first + i)];
            wider.values.push_back(static_cast<float>(factor * score));
        }
        matrix = std::move(wider);
    }

  private:
    double weight_;
};

class Unscale : public EnhancementStep {
  public:
    bool needs_pixel_size() const override { return true; }

    void apply(FeatureMatrix& matrix, const Surroundings& surroundings) const override {
        const auto scores = standard_scores(surroundings.pixel_size);
        if (!scores) return say_that_all_are_the_same("unscale");
        const auto& comm = surroundings.comm;
        const auto mean = column_means(matrix, comm);
        const auto score_of = [&](std::int64_t i) {
            return (*scores)[static_cast<std::size_t>(matrix.rows.first + i)];
        };
        auto slope = column_means_of(
            matrix,
            [&](std::int64_t i, std::size_t j, float x) { return score_of(i) * (x - mean[j]); },
            comm);
        double squares = 0;
        for (const double score : *scores) squares += score * score;
        for (auto& value : slope) value *= static_cast<double>(matrix.rows.total) / squares;
        for (std::int64_t i = 0; i < matrix.rows.count; ++i) {
            const auto row = matrix.row(i);
            for (std::size_t j = 0; j < row.size(); ++j)
                row[j] = static_cast<float>(row[j] - slope[j] * score_of(i));
        }
    }
};

}  // namespace

std::unique_ptr<EnhancementStep> make_scale(Parameters& parameters) {
    return std::make_unique<Scale>(parameters.number("weight", 0.1, 0, 1e6));
}
std::unique_ptr<EnhancementStep> make_unscale(Parameters&) {
    return std::make_unique<Unscale>();
}

}  // namespace nanoatlas::reduce
