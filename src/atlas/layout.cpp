#include "atlas/layout.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <numeric>

namespace nanoatlas::atlas {
namespace {

constexpr std::uint32_t curve_side = 1U << 12;

/// Place of a cell along the curve; Lam and Shapiro's method, as in Warren, Hacker's Delight.
std::uint64_t hilbert_place(std::uint32_t x, std::uint32_t y) {
    std::uint64_t place = 0;
    for (std::uint32_t side = curve_side / 2; side > 0; side /= 2) {
        const std::uint32_t right = (x & side) != 0 ? 1 : 0, upper = (y & side) != 0 ? 1 : 0;
        place += static_cast<std::uint64_t>(side) * side * ((3 * right) ^ upper);
        if (upper == 0) {
            if (right == 1) {
                x = curve_side - 1 - x;
                y = curve_side - 1 - y;
            }
            std::swap(x, y);
        }
    }
    return place;
}

/// Values scaled to cells 0 .. curve_side-1.
std::vector<std::uint32_t> to_cells(std::span<const float> values) {
    std::vector<std::uint32_t> cells(values.size());
    if (values.empty()) return cells;
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    const double span = static_cast<double>(*high) - static_cast<double>(*low);
    for (std::size_t i = 0; i < values.size() && span > 0; ++i)
        cells[i] = static_cast<std::uint32_t>(
            (static_cast<double>(values[i]) - static_cast<double>(*low)) / span * (curve_side - 1));
    return cells;
}

}  // namespace

std::vector<MapAxis> map_axes(std::span<const float> points, std::int64_t columns,
                              std::span<const double> explained) {
    const auto width = static_cast<std::size_t>(columns);
    const std::size_t rows = width == 0 ? 0 : points.size() / width;
    std::vector<MapAxis> axes;
    for (std::size_t c = 0; c < std::min<std::size_t>(width, most_axes); ++c) {
        MapAxis axis{.name = c < explained.size()
                                 ? fmt::format("PC {} ({:.1f} %)", c + 1, 100 * explained[c])
                                 : fmt::format("Axis {}", c + 1),
                     .values = std::vector<float>(rows)};
        for (std::size_t i = 0; i < rows; ++i) axis.values[i] = points[i * width + c];
        axes.push_back(std::move(axis));
    }
    if (axes.size() == 1) axes.push_back({.name = "(none)", .values = std::vector<float>(rows)});
    return axes;
}

std::vector<std::int64_t> hilbert_order(std::span<const float> x, std::span<const float> y) {
    const auto columns = to_cells(x), rows = to_cells(y);
    std::vector<std::uint64_t> place(x.size());
    for (std::size_t i = 0; i < place.size(); ++i) place[i] = hilbert_place(columns[i], rows[i]);
    std::vector<std::int64_t> order(x.size());
    std::iota(order.begin(), order.end(), std::int64_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
        return place[static_cast<std::size_t>(a)] < place[static_cast<std::size_t>(b)];
    });
    return order;
}

}  // namespace nanoatlas::atlas
