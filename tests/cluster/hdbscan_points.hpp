// What tests of HDBSCAN share: a run on all ranks, and points that any program can draw.
#pragma once

#include <cstdint>
#include <functional>

#include "cluster/hdbscan/hdbscan.hpp"
#include "tests/cluster/points.hpp"
#include "tests/mpi_test.hpp"

namespace nanoatlas::testing {

inline cluster::Hdbscan run_hdbscan(const Points& points, const cluster::HdbscanOptions& options) {
    base::PhaseTimes phases;
    return cluster::hdbscan(points.block(world()), options, phases, world());
}

inline Points points_of(std::int64_t rows, std::int64_t columns,
                        const std::function<double(std::int64_t row, std::int64_t column)>& value) {
    Points points{rows, columns, {}};
    for (std::int64_t i = 0; i < rows; ++i)
        for (std::int64_t c = 0; c < columns; ++c) points.values.push_back(value(i, c));
    return points;
}

/// 96 points in six clouds. A file of ../shared is not needed: any program can draw them.
inline Points drawn_by_formula() {
    constexpr double middle[][2] = {{0, 0}, {1.2, 0.3}, {6, 5}, {6.9, 5.2}, {6.3, 6.1}, {-5, 7}};
    constexpr double width[] = {0.5, 0.4, 0.45, 0.35, 0.3, 1.5};
    std::uint64_t state = 8;
    const auto bell = [&] {
        double sum = 0;
        for (int i = 0; i < 4; ++i) {
            state = state * 6364136223846793005ULL + 1442695040888963407ULL;
            sum += static_cast<double>(state >> 40) * 0x1p-24;
        }
        return sum - 2;
    };
    return points_of(96, 2, [&](std::int64_t i, std::int64_t c) {
        const auto cloud = static_cast<std::size_t>(i * 7 % 6);
        return middle[cloud][c] + width[cloud] * bell() * 1.5;
    });
}

}  // namespace nanoatlas::testing
