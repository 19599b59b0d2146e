// Points to cluster that tests draw themselves, the same on any number of ranks.
#pragma once

#include <cmath>

#include "base/random.hpp"
#include "comm/distribution.hpp"
#include "kernels/reference/neighbours.hpp"
#include "store/matrix.hpp"

namespace nanoatlas::testing {

/// All rows, as the plain versions take them.
struct Points {
    std::int64_t rows = 0, columns = 0;
    std::vector<double> values;

    store::Matrix<double> block(const comm::Communicator& comm) const {
        store::Matrix<double> matrix{comm::row_block(rows, comm), columns, {}};
        matrix.values.assign(values.begin() + matrix.rows.first * columns,
                             values.begin() + matrix.rows.end() * columns);
        return matrix;
    }
};

/// Normal clouds of unequal width around random centres.
inline Points draw_clouds(std::int64_t rows, std::int64_t columns, int clouds, std::uint64_t seed) {
    Points points{rows, columns, {}};
    for (std::int64_t i = 0; i < rows; ++i) {
        base::Random random(seed, 1, i);
        const auto cloud = random.below(static_cast<std::uint64_t>(clouds));
        base::Random place(seed, 2, cloud);
        const double width = place.uniform(0.5, 1.5);
        for (std::int64_t c = 0; c < columns; ++c)
            points.values.push_back(place.uniform(-6, 6) + width * random.normal());
    }
    return points;
}

/// What this rank holds of whole lists.
template <class T>
std::vector<T> rows_of_this_rank(const std::vector<T>& all, const comm::RowBlock& rows,
                                 std::int64_t per_row = 1) {
    return {all.begin() + rows.first * per_row, all.begin() + rows.end() * per_row};
}

}  // namespace nanoatlas::testing
