#include "reduce/autoencoder/rows.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numeric>

#include "base/check.hpp"
#include "base/random.hpp"
#include "reduce/enhance/columns.hpp"

namespace nanoatlas::reduce {

std::uint64_t fingerprint(const AutoencoderRows& rows, const comm::Communicator& comm) {
    const auto& block = rows.block();
    std::uint64_t sum = 0;
#pragma omp parallel for reduction(+ : sum)
    for (auto number = block.first; number < block.end(); ++number) {
        auto hash = base::mix(static_cast<std::uint64_t>(number));
        for (const float value : rows.own(std::array{number}))
            hash = base::mix(hash ^ std::bit_cast<std::uint32_t>(value));
        sum += hash;
    }
    return comm.sum(sum);
}

ColumnScale column_scale(const store::Matrix<float>& matrix, ColumnWeights weights,
                         const comm::Communicator& comm) {
    ColumnScale scale{.mean = column_means(matrix, comm), .deviation = {}};
    scale.deviation = column_variances(matrix, scale.mean, comm);
    auto& variances = scale.deviation;
    if (weights == ColumnWeights::as_they_are)
        std::ranges::fill(variances, std::accumulate(variances.begin(), variances.end(), 0.0) /
                                         static_cast<double>(variances.size()));
    for (auto& value : variances) value = value > 0 ? std::sqrt(value) : 1;
    return scale;
}

MatrixRows::MatrixRows(store::Matrix<float> matrix, const ColumnScale& scale,
                       const comm::Communicator& comm)
    : matrix_(std::move(matrix)), comm_(comm) {
    ASSERT(std::ssize(scale.mean) == matrix_.columns);
#pragma omp parallel for
    for (std::int64_t i = 0; i < matrix_.rows.count; ++i) {
        const auto row = matrix_.row(i);
        for (std::size_t j = 0; j < row.size(); ++j)
            row[j] = static_cast<float>((row[j] - scale.mean[j]) / scale.deviation[j]);
    }
}

std::vector<float> MatrixRows::own(std::span<const std::int64_t> rows) const {
    std::vector<float> values;
    values.reserve(rows.size() * static_cast<std::size_t>(matrix_.columns));
    for (const auto number : rows) {
        const auto row = matrix_.row(number - matrix_.rows.first);
        values.insert(values.end(), row.begin(), row.end());
    }
    return values;
}

std::vector<float> MatrixRows::fetch(std::span<const std::int64_t> rows) const {
    const comm::BlockDistribution blocks(matrix_.rows.total, comm_.size());
    std::vector<std::vector<std::int64_t>> wanted(static_cast<std::size_t>(comm_.size()));
    for (const auto row : rows) wanted[static_cast<std::size_t>(blocks.owner(row))].push_back(row);
    std::vector<std::vector<float>> found;
    for (const auto& of_rank : comm_.exchange(wanted)) found.push_back(own(of_rank));
    found = comm_.exchange(found);

    std::vector<float> values;
    values.reserve(rows.size() * static_cast<std::size_t>(matrix_.columns));
    std::vector<std::ptrdiff_t> next(found.size(), 0);
    for (const auto row : rows) {
        const auto owner = static_cast<std::size_t>(blocks.owner(row));
        const auto begin = found[owner].begin() + next[owner];
        values.insert(values.end(), begin, begin + matrix_.columns);
        next[owner] += matrix_.columns;
    }
    return values;
}

}  // namespace nanoatlas::reduce
