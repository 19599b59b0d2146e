#include "reduce/enhance/columns.hpp"

#include "reduce/scatter.hpp"

namespace nanoatlas::reduce {

std::vector<double> column_means(const FeatureMatrix& matrix, const comm::Communicator& comm) {
    return column_means(RowTiles<float>(matrix, comm), comm).mean;
}

std::vector<double> column_means_of(const FeatureMatrix& matrix, const OfValue& function,
                                    const comm::Communicator& comm) {
    FeatureMatrix image{.rows = matrix.rows, .columns = matrix.columns, .values = matrix.values};
#pragma omp parallel for
    for (std::int64_t i = 0; i < image.rows.count; ++i) {
        const auto row = image.row(i);
        for (std::size_t j = 0; j < row.size(); ++j)
            row[j] = static_cast<float>(function(i, j, row[j]));
    }
    return column_means(image, comm);
}

std::vector<double> column_variances(const FeatureMatrix& matrix, std::span<const double> mean,
                                     const comm::Communicator& comm) {
    return column_means_of(
        matrix, [&](std::int64_t, std::size_t j, float x) { return (x - mean[j]) * (x - mean[j]); },
        comm);
}

std::vector<double> squared_distances(const FeatureMatrix& matrix, std::span<const double> mean) {
    std::vector<double> squares(static_cast<std::size_t>(matrix.rows.count));
#pragma omp parallel for
    for (std::int64_t i = 0; i < matrix.rows.count; ++i) {
        const auto row = matrix.row(i);
        double square = 0;
        for (std::size_t j = 0; j < row.size(); ++j)
            square += (row[j] - mean[j]) * (row[j] - mean[j]);
        squares[static_cast<std::size_t>(i)] = square;
    }
    return squares;
}

}  // namespace nanoatlas::reduce
