// Rows in f32 for tiles of products: whole, or the leading part of each with the norm of the rest.
#pragma once

#include <span>
#include <vector>

#include "kernels/kokkos/dot_tile.hpp"
#include "kernels/kokkos/neighbour_rows.hpp"

namespace nanoatlas::kernels::kokkos {

struct TileRounding : RoundingBound {
    float displacement;  // a row is at most this times its norm away from the one in the tiles
};

/// Rows rounded to f32.
inline TileRounding rounding_of_whole_rows(std::size_t columns) {
    return {RoundingBound(columns), 0x1p-23F};
}

InterleavedRows whole_rows(const PlacedRows& placed, const Scaling& scaling, int width);

/// Rows [n] that are interleaved otherwise.
InterleavedRows interleaved_by(int width, const InterleavedRows& rows, std::size_t n);

/// Orthonormal directions [count, columns], as near as f64 has them.
struct Directions {
    SeenView<double> values;
    std::size_t count = 0, columns = 0;
    double skew = 0;  // Frobenius norm of values values^T - 1, or above

    explicit Directions(const Frame& frame);
    bool none() const { return count == 0; }
};

/// The leading part of rows [n, columns]: the components of the scaled rows along the directions,
/// and the norm of the rest. Row-major [n, count + 1].
std::vector<float> leading_parts(std::span<const double> rows, const Scaling& scaling,
                                 const Directions& directions);

struct LeadingRows {
    InterleavedRows values;  // [n, count + 1] by position
    DeviceView<float> rest;  // the last of them
};

/// parts: leading_parts() of the rows that are placed
LeadingRows leading_rows(const PlacedRows& placed, std::span<const float> parts, int width);

/// Distances of leading rows are lower bounds: the rests of two rows differ by no less than their
/// norms do (Cheng, Gersho, Ramamurthi, Shoham, ICASSP 1984, 372; McNames, IEEE PAMI 23 (2001)
/// 964). That bound in f32, for rows of `columns` columns.
///
/// With u = 2^-53, components are off by (skew + sqrt(count) (columns + 2) u) |x|, the squared norm
/// of the rest by twice that and columns * 2u times |x|^2, the norm by the root of it, and f32 adds
/// 2^-23: the displacement d. It moves a squared distance by at most 4d S, |x|^2 in place of the
/// squared norm of a leading row by 2d S, the norms of two rests in an upper bound by 4d S.
TileRounding rounding_of_leading_rows(const Directions& directions);

}  // namespace nanoatlas::kernels::kokkos
