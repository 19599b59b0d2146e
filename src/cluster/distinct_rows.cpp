#include "cluster/distinct_rows.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>
#include <utility>

#include "base/random.hpp"

namespace nanoatlas::cluster {
namespace {

// 128 bits: among a billion rows, two different ones share a print with probability 1e-21.
using Print = std::array<std::uint64_t, 2>;

Print print_of(std::span<const double> row) {
    std::uint64_t high = 1, low = 2;
    for (const double value : row) {
        const auto bits = std::bit_cast<std::uint64_t>(value == 0 ? 0.0 : value);
        high = base::mix(high ^ bits) + 0x9E3779B97F4A7C15ULL;
        low = base::mix(low + bits) ^ 0xD1B54A32D192ED03ULL;
    }
    return {high, low};
}

// The first row with the same print, for each row of all ranks.
std::vector<std::int64_t> first_of_equals(const store::Matrix<double>& matrix,
                                          const comm::Communicator& comm) {
    std::vector<Print> own;
    for (std::int64_t i = 0; i < matrix.rows.count; ++i) own.push_back(print_of(matrix.row(i)));
    const auto prints = comm.all_gather(own);
    std::vector<std::int64_t> order(prints.size()), first(prints.size());
    std::iota(order.begin(), order.end(), 0);
    const auto print = [&](std::int64_t row) { return prints[static_cast<std::size_t>(row)]; };
    std::sort(order.begin(), order.end(),
              [&](auto a, auto b) { return std::pair(print(a), a) < std::pair(print(b), b); });
    for (std::size_t i = 0; i < order.size(); ++i) {
        const bool repeats = i > 0 && print(order[i]) == print(order[i - 1]);
        first[static_cast<std::size_t>(order[i])] =
            repeats ? first[static_cast<std::size_t>(order[i - 1])] : order[i];
    }
    return first;
}

// This rank's block of the distinct rows.
store::Matrix<double> redistribute(const store::Matrix<double>& matrix,
                                   const std::vector<std::int64_t>& original,
                                   const comm::Communicator& comm) {
    const auto total = static_cast<std::int64_t>(original.size());
    const comm::BlockDistribution blocks(total, comm.size());
    std::vector<std::vector<double>> parts(static_cast<std::size_t>(comm.size()));
    for (std::int64_t number = 0; number < total; ++number) {
        const auto row = original[static_cast<std::size_t>(number)];
        if (row < matrix.rows.first || row >= matrix.rows.end()) continue;
        const auto values = matrix.row(row - matrix.rows.first);
        auto& part = parts[static_cast<std::size_t>(blocks.owner(number))];
        part.insert(part.end(), values.begin(), values.end());
    }
    store::Matrix<double> distinct{comm::row_block(total, comm), matrix.columns, {}};
    for (const auto& part : comm.exchange(parts))
        distinct.values.insert(distinct.values.end(), part.begin(), part.end());
    return distinct;
}

}  // namespace

DistinctRows find_distinct_rows(store::Matrix<double> matrix, const comm::Communicator& comm) {
    const auto first = first_of_equals(matrix, comm);
    DistinctRows result{.matrix = {}, .original = {}, .representative = {}, .given = matrix.rows};
    std::vector<std::int64_t> number(first.size());
    for (std::size_t row = 0; row < first.size(); ++row) {
        if (first[row] == static_cast<std::int64_t>(row)) {
            number[row] = static_cast<std::int64_t>(result.original.size());
            result.original.push_back(first[row]);
        } else {
            number[row] = number[static_cast<std::size_t>(first[row])];
        }
    }
    result.representative.assign(number.begin() + matrix.rows.first,
                                 number.begin() + matrix.rows.end());
    if (result.original.size() == first.size())
        result.matrix = std::move(matrix);
    else
        result.matrix = redistribute(matrix, result.original, comm);
    return result;
}

}  // namespace nanoatlas::cluster
