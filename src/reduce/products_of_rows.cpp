#include "reduce/products_of_rows.hpp"

#include <cmath>
#include <numeric>
#include <span>

namespace nanoatlas::reduce {

template <class P, class T>
store::Matrix<P> centred_transpose(const store::Matrix<T>& matrix, const std::vector<double>& mean,
                                   const comm::Communicator& comm) {
    const comm::BlockDistribution blocks(matrix.columns, comm.size());
    std::vector<std::vector<P>> parts(static_cast<std::size_t>(comm.size()));
    for (int rank = 0; rank < comm.size(); ++rank) {
        const auto block = blocks.block(rank);
        auto& part = parts[static_cast<std::size_t>(rank)];
        part.reserve(static_cast<std::size_t>(block.count * matrix.rows.count));
        for (std::int64_t i = 0; i < matrix.rows.count; ++i)
            for (std::int64_t j = block.first; j < block.end(); ++j)
                part.push_back(static_cast<P>(matrix.row(i)[static_cast<std::size_t>(j)] -
                                              mean[static_cast<std::size_t>(j)]));
    }
    store::Matrix<P> result{
        .rows = blocks.block(comm.rank()), .columns = matrix.rows.total, .values = {}};
    result.values.resize(static_cast<std::size_t>(result.rows.count * result.columns));
    std::int64_t row = 0;  // of the whole matrix: a column of the result
    for (const auto& part : comm.exchange(parts))
        for (std::size_t at = 0; at < part.size(); ++row)
            for (std::int64_t j = 0; j < result.rows.count; ++j)
                result.row(j)[static_cast<std::size_t>(row)] = part[at++];
    return result;
}

template <class T>
std::vector<double> components_from_rows(const store::Matrix<T>& matrix,
                                         const std::vector<double>& mean, const EigenPairs& pairs,
                                         const comm::Communicator& comm) {
    const auto k = pairs.values.size(), columns = static_cast<std::size_t>(matrix.columns);
    std::vector<double> components(k * columns), row(columns);
    for (std::int64_t i = 0; i < matrix.rows.count; ++i) {
        const auto x = matrix.row(i);
        for (std::size_t j = 0; j < columns; ++j) row[j] = x[j] - mean[j];
        const auto at = static_cast<std::size_t>(matrix.rows.first + i);
#pragma omp parallel for
        for (std::size_t c = 0; c < k; ++c) {
            const double weight =
                pairs.vectors[c * static_cast<std::size_t>(matrix.rows.total) + at];
            for (std::size_t j = 0; j < columns; ++j)
                components[c * columns + j] += weight * row[j];
        }
    }
    comm.sum(std::span<double>(components));
    for (std::size_t c = 0; c < k; ++c) {
        const auto component = std::span(components).subspan(c * columns, columns);
        const double length = std::sqrt(
            std::inner_product(component.begin(), component.end(), component.begin(), 0.0));
        const bool empty = pairs.values[c] <= 1e-12 * pairs.values[0];
        for (auto& value : component) value = empty ? 0 : value / length;
    }
    return components;
}

template <class T>
using Rows = store::Matrix<T>;
using Mean = std::vector<double>;
template Rows<float> centred_transpose(const Rows<float>&, const Mean&, const comm::Communicator&);
template Rows<float> centred_transpose(const Rows<double>&, const Mean&, const comm::Communicator&);
template Rows<double> centred_transpose(const Rows<float>&, const Mean&, const comm::Communicator&);
template Rows<double> centred_transpose(const Rows<double>&, const Mean&,
                                        const comm::Communicator&);
template Mean components_from_rows(const Rows<float>&, const Mean&, const EigenPairs&,
                                   const comm::Communicator&);
template Mean components_from_rows(const Rows<double>&, const Mean&, const EigenPairs&,
                                   const comm::Communicator&);

}  // namespace nanoatlas::reduce
