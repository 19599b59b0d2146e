// Feature enhancement: makes the rows of a feature matrix easier to tell apart by distance.
#pragma once

#include "store/matrix.hpp"

namespace nanoatlas::reduce {

/// Replaces each value by its signed square root and scales each row to unit length (rows of zeros
/// stay): few strong channels no longer rule the distances, and the strength of a whole row (the
/// contrast of its image) no longer counts. Perronnin, Sanchez, Mensink, "Improving the Fisher
/// kernel for large-scale image classification", ECCV 2010. Not collective: rows are on their own.
void enhance(store::Matrix<float>& matrix);

}  // namespace nanoatlas::reduce
