#include "reduce/enhance.hpp"

#include <cmath>

#include "reduce/scatter.hpp"

namespace nanoatlas::reduce {

void enhance(store::Matrix<float>& matrix, const comm::Communicator& comm) {
#pragma omp parallel for
    for (auto& value : matrix.values) value = std::copysign(std::sqrt(std::abs(value)), value);

    const auto mean = column_means(RowTiles(matrix, comm), comm).mean;
#pragma omp parallel for
    for (std::int64_t i = 0; i < matrix.rows.count; ++i) {
        const auto row = matrix.row(i);
        double square = 0;
        for (std::size_t j = 0; j < row.size(); ++j)
            square += (row[j] - mean[j]) * (row[j] - mean[j]);
        const double scale = square > 0 ? 1 / std::sqrt(square) : 0;
        for (std::size_t j = 0; j < row.size(); ++j)
            row[j] = static_cast<float>((row[j] - mean[j]) * scale);
    }
}

}  // namespace nanoatlas::reduce
