#include "cluster/frame.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/check.hpp"
#include "kernels/kokkos/fixed_point.hpp"

namespace nanoatlas::cluster {
namespace {

/// Of each column, over all ranks.
struct Range {
    std::vector<double> low, high;

    Range(std::size_t columns, const ForEachPart& for_each_part, const comm::Communicator& comm) {
        constexpr double infinity = std::numeric_limits<double>::infinity();
        std::vector<double> below(columns, -infinity);  // -low
        high.assign(columns, -infinity);
        for_each_part([&](std::span<const double> rows) {
            for (std::size_t first = 0; first < rows.size(); first += columns)
                for (std::size_t c = 0; c < columns; ++c) {
                    below[c] = std::max(below[c], -rows[first + c]);
                    high[c] = std::max(high[c], rows[first + c]);
                }
        });
        comm.max(std::span(below));
        comm.max(std::span(high));
        for (const auto value : below) low.push_back(-value);
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
    std::vector<std::int64_t> sums(columns);
    for_each_part([&](std::span<const double> rows) {
        for (std::size_t first = 0; first < rows.size(); first += columns)
            for (std::size_t c = 0; c < columns; ++c)
                sums[c] += fixed.whole(rows[first + c] - frame.centre[c]);
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
