// Where the points of the map lie, and an order in which neighbours on the map stay together.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace nanoatlas::atlas {

struct MapAxis {
    std::string name;           ///< "PC 1 (31 %)"
    std::vector<float> values;  ///< [N]
};

/// At most this many axes are kept for the map to choose from.
inline constexpr std::int64_t most_axes = 6;

/// The first columns of an embedding whose columns are ordered by variance.
///
/// points          [N, columns]
/// explained       share of the variance of each column; empty: not known
/// A second axis of zeros is added where there is only one column.
std::vector<MapAxis> map_axes(std::span<const float> points, std::int64_t columns,
                              std::span<const double> explained);

/// Rows in the order of a Hilbert curve over the plane of x and y (order 12; ties by row), so that
/// a sheet of thumbnails holds a compact patch of the map.
std::vector<std::int64_t> hilbert_order(std::span<const float> x, std::span<const float> y);

}  // namespace nanoatlas::atlas
