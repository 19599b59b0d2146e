// Columns and rows brought to a common measure: center, standardise, l2.
#include <cmath>

#include "reduce/enhance/columns.hpp"
#include "reduce/enhance/step.hpp"

namespace nanoatlas::reduce {
namespace {

/// x becomes (x - shift) * factor, by column.
void change_columns(FeatureMatrix& matrix, const std::vector<double>& shift,
                    const std::vector<double>& factor) {
#pragma omp parallel for
    for (std::int64_t i = 0; i < matrix.rows.count; ++i) {
        const auto row = matrix.row(i);
        for (std::size_t j = 0; j < row.size(); ++j)
            row[j] = static_cast<float>((row[j] - shift[j]) * factor[j]);
    }
}

class Center : public EnhancementStep {
  public:
    void apply(FeatureMatrix& matrix, const Surroundings& surroundings) const override {
        const auto mean = column_means(matrix, surroundings.comm);
        change_columns(matrix, mean, std::vector<double>(mean.size(), 1));
    }
};

class Standardise : public EnhancementStep {
  public:
    void apply(FeatureMatrix& matrix, const Surroundings& surroundings) const override {
        const auto mean = column_means(matrix, surroundings.comm);
        auto factor = column_variances(matrix, mean, surroundings.comm);
        for (auto& variance : factor) variance = variance > 0 ? 1 / std::sqrt(variance) : 0;
        change_columns(matrix, mean, factor);
    }
};

class UnitLength : public EnhancementStep {
  public:
    void apply(FeatureMatrix& matrix, const Surroundings&) const override {
        const auto squares = squared_distances(
            matrix, std::vector<double>(static_cast<std::size_t>(matrix.columns)));
#pragma omp parallel for
        for (std::int64_t i = 0; i < matrix.rows.count; ++i) {
            const double square = squares[static_cast<std::size_t>(i)];
            if (square == 0) continue;
            const double factor = 1 / std::sqrt(square);
            for (auto& value : matrix.row(i)) value = static_cast<float>(value * factor);
        }
    }
};

}  // namespace

std::unique_ptr<EnhancementStep> make_center(Parameters&) {
    return std::make_unique<Center>();
}
std::unique_ptr<EnhancementStep> make_standardise(Parameters&) {
    return std::make_unique<Standardise>();
}
std::unique_ptr<EnhancementStep> make_l2(Parameters&) {
    return std::make_unique<UnitLength>();
}

}  // namespace nanoatlas::reduce
