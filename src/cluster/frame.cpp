#include "cluster/frame.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/check.hpp"
#include "kernels/kokkos/fixed_point.hpp"

namespace nanoatlas::cluster {
namespace {

/// Calls visit(row, values) for each row, on all threads, each with values of its own that begin as
/// `start`; then join(values) for one after the other, in any order.
template <class T, class Visit, class Join>
void share_rows(std::span<const double> rows, std::size_t columns, const std::vector<T>& start,
                const Visit& visit, const Join& join) {
    const std::size_t n = rows.size() / columns;
#pragma omp parallel
    {
        auto values = start;
#pragma omp for schedule(static) nowait
        for (std::size_t i = 0; i < n; ++i) visit(&rows[i * columns], values);
#pragma omp critical
        join(values);
    }
}

/// Of each column, over all ranks.
struct Range {
    std::vector<double> low, high;

    Range(std::size_t columns, const ForEachPart& for_each_part, const comm::Communicator& comm) {
        constexpr double infinity = std::numeric_limits<double>::infinity();
        const std::vector<double> nowhere(2 * columns, -infinity);
        auto ends = nowhere;  // -low, high
        const auto raise = [](double& end, double value) { end = std::max(end, value); };
        for_each_part([&](std::span<const double> rows) {
            share_rows(
                rows, columns, nowhere,
                [&](const double* row, std::vector<double>& own) {
#pragma omp simd
                    for (std::size_t c = 0; c < columns; ++c) {
                        raise(own[c], -row[c]);
                        raise(own[columns + c], row[c]);
                    }
                },
                [&](const std::vector<double>& own) {
                    for (std::size_t e = 0; e < ends.size(); ++e) raise(ends[e], own[e]);
                });
        });
        comm.max(std::span(ends));
        for (std::size_t c = 0; c < columns; ++c) {
            low.push_back(-ends[c]);
            high.push_back(ends[columns + c]);
        }
    }

    double largest_distance(std::span<const double> centre) const {
        double largest = 0;
        for (std::size_t c = 0; c < centre.size(); ++c)
            largest = std::max({largest, high[c] - centre[c], centre[c] - low[c]});
        return largest;
    }
};

}  // namespace

kernels::kokkos::Frame make_frame(std::int64_t total, std::size_t columns,
                                  const ForEachPart& for_each_part,
                                  const comm::Communicator& comm) {
    const Range range(columns, for_each_part, comm);
    kernels::kokkos::Frame frame{range.low, 0};
    for (std::size_t c = 0; c < columns; ++c) frame.centre[c] += (range.high[c] - range.low[c]) / 2;
    frame.largest = range.largest_distance(frame.centre);
    VALIDATE(frame.largest < 1e130 && (frame.largest == 0 || frame.largest > 1e-130),
             "values lie up to {:.2g} from the middle of their column (the squares of distances "
             "leave the range of 64-bit floating point); scale the matrix",
             frame.largest);
    if (frame.largest == 0) return {frame.centre, 1};  // all rows equal

    const kernels::kokkos::FixedPoint fixed(frame.largest, total);
    const std::vector<std::int64_t> none(columns);
    auto sums = none;
    for_each_part([&](std::span<const double> rows) {
        share_rows(
            rows, columns, none,
            [&](const double* row, std::vector<std::int64_t>& own) {
#pragma omp simd
                for (std::size_t c = 0; c < columns; ++c)
                    own[c] += fixed.whole(row[c] - frame.centre[c]);
            },
            [&](const std::vector<std::int64_t>& own) {
                for (std::size_t c = 0; c < columns; ++c) sums[c] += own[c];
            });
    });
    comm.sum(std::span(sums));
    for (std::size_t c = 0; c < columns; ++c)
        frame.centre[c] += static_cast<double>(sums[c]) * fixed.unit() / static_cast<double>(total);
    frame.largest = range.largest_distance(frame.centre);
    return frame;
}

kernels::kokkos::Frame make_frame(const store::Matrix<double>& matrix,
                                  const comm::Communicator& comm) {
    return make_frame(
        matrix.rows.total, static_cast<std::size_t>(matrix.columns),
        [&](const auto& visit) { visit(matrix.values); }, comm);
}

}  // namespace nanoatlas::cluster
