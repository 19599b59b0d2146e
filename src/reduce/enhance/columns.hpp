// Sums over the rows of a feature matrix that enhancement needs; the same bits on any number of
// ranks. Collective, all of them.
#pragma once

#include <span>
#include <vector>

#include "reduce/enhance/step.hpp"

namespace nanoatlas::reduce {

/// [D]
std::vector<double> column_means(const FeatureMatrix& matrix, const comm::Communicator& comm);

/// Means of function(local row, column, value), each rounded to f32: [D].
using OfValue = std::function<double(std::int64_t row, std::size_t column, float value)>;
std::vector<double> column_means_of(const FeatureMatrix& matrix, const OfValue& function,
                                    const comm::Communicator& comm);

/// Means of the squared distances from the means, over N: [D].
std::vector<double> column_variances(const FeatureMatrix& matrix, std::span<const double> mean,
                                     const comm::Communicator& comm);

/// This rank's rows' squared distances from that mean [n].
std::vector<double> squared_distances(const FeatureMatrix& matrix, std::span<const double> mean);

}  // namespace nanoatlas::reduce
