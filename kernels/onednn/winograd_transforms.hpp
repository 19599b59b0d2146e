// Winograd's transforms of F(2x2, 3x3), on registers of tile_lanes channels: 16 products of
// transformed values where a 3x3 window over 2x2 outputs takes 36.
// Lavin, Gray, "Fast Algorithms for Convolutional Neural Networks", arXiv:1509.09308.
#pragma once

#include <cstring>

#include "kernels/onednn/register_tile.hpp"

namespace nanoatlas::kernels::onednn {

constexpr int winograd_side = 4;  ///< of a tile of inputs, transformed or not
constexpr int winograd_outputs = 2;
constexpr int winograd_taps = 3;
constexpr int winograd_positions = winograd_side * winograd_side;

inline TileLanes load_tile_lanes(const float* from) {
    TileLanes lanes;
    std::memcpy(&lanes, from, sizeof lanes);
    return lanes;
}
inline void store_tile_lanes(const TileLanes& lanes, float* to) {
    std::memcpy(to, &lanes, sizeof lanes);
}

/// Element i of B^T d.
inline TileLanes winograd_input(int i, const TileLanes& d0, const TileLanes& d1,
                                const TileLanes& d2, const TileLanes& d3) {
    switch (i) {
        case 0:
            return d0 - d2;
        case 1:
            return d1 + d2;
        case 2:
            return d2 - d1;
        default:
            return d1 - d3;
    }
}

/// Element i of A e: a gradient of two outputs, spread.
inline TileLanes winograd_gradient(int i, const TileLanes& e0, const TileLanes& e1) {
    switch (i) {
        case 0:
            return e0;
        case 1:
            return e0 + e1;
        case 2:
            return e0 - e1;
        default:
            return -e1;
    }
}

/// Element i of A^T m.
inline TileLanes winograd_output(int i, const TileLanes& m0, const TileLanes& m1,
                                 const TileLanes& m2, const TileLanes& m3) {
    return i == 0 ? m0 + m1 + m2 : m1 - m2 - m3;
}

/// Element i of G g.
inline TileLanes winograd_weight(int i, const TileLanes& g0, const TileLanes& g1,
                                 const TileLanes& g2) {
    switch (i) {
        case 0:
            return g0;
        case 1:
            return 0.5F * (g0 + g1 + g2);
        case 2:
            return 0.5F * (g0 - g1 + g2);
        default:
            return g2;
    }
}

/// Element i of G^T s.
inline TileLanes winograd_weight_gradient(int i, const TileLanes& s0, const TileLanes& s1,
                                          const TileLanes& s2, const TileLanes& s3) {
    switch (i) {
        case 0:
            return s0 + 0.5F * (s1 + s2);
        case 1:
            return 0.5F * (s1 - s2);
        default:
            return 0.5F * (s1 + s2) + s3;
    }
}

}  // namespace nanoatlas::kernels::onednn
