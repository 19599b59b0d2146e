#include "cluster/exact_frame.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.hpp"
#include "kernels/kokkos/nearest_centres.hpp"

namespace nanoatlas::cluster {
namespace {

/// Of each column, over all ranks.
struct Range {
    std::vector<double> low, high;

    Range(const store::Matrix<double>& matrix, const comm::Communicator& comm) {
        const auto columns = static_cast<std::size_t>(matrix.columns);
        constexpr double infinity = std::numeric_limits<double>::infinity();
        std::vector<double> below(columns, -infinity);  // -low
        high.assign(columns, -infinity);
        for (std::size_t first = 0; first < matrix.values.size(); first += columns)
            for (std::size_t c = 0; c < columns; ++c) {
                below[c] = std::max(below[c], -matrix.values[first + c]);
                high[c] = std::max(high[c], matrix.values[first + c]);
            }
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

kernels::kokkos::Frame exact_frame(const store::Matrix<double>& matrix,
                                   const comm::Communicator& comm) {
    const auto columns = static_cast<std::size_t>(matrix.columns);
    const Range range(matrix, comm);
    kernels::kokkos::Frame frame{range.low, 0};
    for (std::size_t c = 0; c < columns; ++c) frame.centre[c] += (range.high[c] - range.low[c]) / 2;
    frame.largest = range.largest_distance(frame.centre);
    VALIDATE(frame.largest < 1e130 && (frame.largest == 0 || frame.largest > 1e-130),
             "values lie up to {:.2g} from the middle of their column (the squares of distances "
             "leave the range of 64-bit floating point); scale the matrix",
             frame.largest);
    if (frame.largest == 0) return {frame.centre, 1};  // all rows equal

    const kernels::kokkos::FixedPoint fixed(frame.largest, matrix.rows.total);
    std::vector<std::int64_t> sums(columns);
    for (std::size_t first = 0; first < matrix.values.size(); first += columns)
        for (std::size_t c = 0; c < columns; ++c)
            sums[c] += static_cast<std::int64_t>(
                std::nearbyint((matrix.values[first + c] - frame.centre[c]) * fixed.scale));
    comm.sum(std::span(sums));
    for (std::size_t c = 0; c < columns; ++c)
        frame.centre[c] +=
            static_cast<double>(sums[c]) * fixed.unit() / static_cast<double>(matrix.rows.total);
    frame.largest = range.largest_distance(frame.centre);
    return frame;
}

}  // namespace nanoatlas::cluster
