#include <cmath>
#include <optional>

#include "base/log.hpp"
#include "reduce/enhance/shrinkage.hpp"
#include "reduce/enhance/step.hpp"

namespace nanoatlas::reduce {
namespace {

class Whitening : public EnhancementStep {
  public:
    Whitening(std::int64_t components, std::optional<double> shrinkage)
        : components_(components), shrinkage_(shrinkage) {}

    void apply(FeatureMatrix& matrix, const Surroundings& surroundings) const override {
        const auto& comm = surroundings.comm;
        auto [pca, scores] = fit_and_project(matrix,
                                             {.components = std::to_string(components_),
                                              .squared_covariance = !shrinkage_.has_value()},
                                             Whiten::off, comm);
        const double share = shrinkage_ ? *shrinkage_ : ledoit_wolf(matrix, pca, comm);
        base::log_info(fmt::format("whiten: shrinkage {:.4g}", share));
        const double mean = pca.total_variance / static_cast<double>(matrix.columns);
        std::vector<double> factor;
        for (const double variance : pca.explained_variance) {
            const double shrunk = (1 - share) * variance + share * mean;
            factor.push_back(shrunk > 1e-12 * pca.explained_variance[0] ? 1 / std::sqrt(shrunk)
                                                                        : 0);
        }
        matrix = std::move(scores);
        for (std::int64_t i = 0; i < matrix.rows.count; ++i) {
            const auto row = matrix.row(i);
            for (std::size_t c = 0; c < row.size(); ++c)
                row[c] = static_cast<float>(row[c] * factor[c]);
        }
    }

  private:
    std::int64_t components_;
    std::optional<double> shrinkage_;
};

}  // namespace

std::unique_ptr<EnhancementStep> make_whiten(Parameters& parameters) {
    const auto components = parameters.whole("number of components", 256, 1, 1 << 20);
    std::optional<double> shrinkage;
    if (parameters.has_more()) shrinkage = parameters.number("shrinkage", 0, 0, 1);
    return std::make_unique<Whitening>(components, shrinkage);
}

}  // namespace nanoatlas::reduce
