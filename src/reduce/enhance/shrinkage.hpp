// How far a covariance matrix is to be drawn towards a multiple of the identity.
#pragma once

#include "reduce/enhance/step.hpp"
#include "reduce/pca.hpp"

namespace nanoatlas::reduce {

/// The share s in [0, 1] for which (1 - s) S + s tr(S)/D I is nearest to the true covariance in the
/// mean: min(b^2, d^2) / d^2 with d^2 = |S - tr(S)/D I|^2 and b^2 = sum over rows |x x^T - S|^2 /
/// N^2; S over N. Ledoit, Wolf, J. Multivariate Analysis 88 (2004) 365, 3.3. Collective; the same
/// bits on any number of ranks.
double ledoit_wolf(const FeatureMatrix& matrix, const Pca& pca, const comm::Communicator& comm);

}  // namespace nanoatlas::reduce
