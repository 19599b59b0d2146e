// The rows that workloads on matrices measure on.
#pragma once

#include <cstdint>

#include "base/random.hpp"
#include "jobs/bench_workloads.hpp"
#include "store/matrix.hpp"

namespace nanoatlas::jobs {

/// --input, or 60 groups of rows of unequal width: a function of the seed.
template <class T>
store::Matrix<T> matrix_for(const BenchOptions& options, std::int64_t rows, std::int64_t columns,
                            const comm::Communicator& world) {
    if (!options.input.empty()) return store::read_matrix<T>(options.input, world);
    if (options.rows > 0) rows = options.rows;
    if (options.columns > 0) columns = options.columns;
    store::Matrix<T> matrix{.rows = comm::row_block(rows, world), .columns = columns, .values = {}};
    matrix.values.resize(static_cast<std::size_t>(matrix.rows.count * columns));
#pragma omp parallel for
    for (std::int64_t i = 0; i < matrix.rows.count; ++i) {
        base::Random random(options.seed, 1, matrix.rows.first + i);
        const auto group = random.below(60);
        base::Random centre(options.seed, 2, group);
        const double width = 1 + static_cast<double>(group) / 30;
        for (auto& value : matrix.row(i))
            value = static_cast<T>(4 * centre.uniform() + width * random.uniform(-1, 1));
    }
    return matrix;
}

template <class T>
Workload workload_on(const store::Matrix<T>& matrix) {
    Workload workload;
    workload.amount = static_cast<double>(matrix.rows.total);
    workload.sizes = {{"rows", matrix.rows.total}, {"columns", matrix.columns}};
    return workload;
}

}  // namespace nanoatlas::jobs
