#include "reduce/enhance.hpp"

#include <cmath>

namespace nanoatlas::reduce {

void enhance(store::Matrix<float>& matrix) {
#pragma omp parallel for
    for (std::int64_t i = 0; i < matrix.rows.count; ++i) {
        const auto row = matrix.row(i);
        double length = 0;  // squared: the sum of magnitudes, once their roots are taken
        for (const auto value : row) length += std::abs(value);
        const double scale = length > 0 ? 1 / std::sqrt(length) : 0;
        for (auto& value : row)
            value = static_cast<float>(std::copysign(std::sqrt(std::abs(value)) * scale, value));
    }
}

}  // namespace nanoatlas::reduce
