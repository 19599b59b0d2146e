// Feature enhancement: makes the rows of a feature matrix easier to tell apart by distance.
#pragma once

#include "store/matrix.hpp"

namespace nanoatlas::reduce {

/// Replaces each value by its signed square root, subtracts the mean of each column, and scales
/// each row to unit length (rows equal to the mean stay 0). A few strong channels no longer rule
/// the distances, and how far a row is from the mean counts less than in which direction.
/// Perronnin, Sanchez, Mensink, "Improving the Fisher kernel for large-scale image classification",
/// ECCV 2010. Collective; the same bits on any number of ranks.
void enhance(store::Matrix<float>& matrix, const comm::Communicator& comm);

}  // namespace nanoatlas::reduce
