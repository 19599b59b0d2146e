#include "reduce/enhance/shrinkage.hpp"

#include <algorithm>

#include "reduce/enhance/columns.hpp"

namespace nanoatlas::reduce {

double ledoit_wolf(const FeatureMatrix& matrix, const Pca& pca, const comm::Communicator& comm) {
    auto fourth = squared_distances(matrix, pca.mean);
    for (auto& value : fourth) value *= value;
    const auto rows = static_cast<double>(matrix.rows.total);
    const double over_rows = (rows - 1) / rows;  // from a variance over N - 1 to one over N
    const double trace = pca.total_variance * over_rows;
    const double squares = pca.squared_covariance.value() * over_rows * over_rows;
    const double distance = squares - trace * trace / static_cast<double>(matrix.columns);
    const double spread =
        (comm::ordered_sum(fourth, matrix.rows.first, comm) / rows - squares) / rows;
    return distance > 0 ? std::clamp(spread / distance, 0.0, 1.0) : 1;
}

}  // namespace nanoatlas::reduce
