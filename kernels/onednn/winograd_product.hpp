// A 3x3 convolution of stride 1 by Winograd's F(2x2, 3x3), in one direction.
#pragma once

#include <vector>

#include "kernels/onednn/engine.hpp"
#include "kernels/onednn/winograd_tiles.hpp"

namespace nanoatlas::kernels::onednn {

/// What is done to the sums before they are put out: activation(sum + bias + addend).
struct WinogradEpilogue {
    const float* bias = nullptr;    ///< [output channels], may be null
    const float* addend = nullptr;  ///< image of the output's shape, may be null
    Activation activation = Activation::none;
};

/// How weights [out, in, 3, 3] are read: forward, or turned about for the gradient of the input.
enum class WinogradDirection { forward, backward };

/// y[tile] = A^T (U * (B^T x[tile] B)) A with U = G w G^T: per position of the transformed tile a
/// product of matrices, [tiles, in] by [in, out]. Each thread takes some tiles the whole way, in
/// blocks whose values stay in its caches. A result is a function of its own tile alone, whatever
/// the samples beside it and the number of threads.
class WinogradProduct {
  public:
    WinogradProduct(const WinogradTiles& tiles, std::shared_ptr<Engine> engine);

    void set_weights(const float* weights, WinogradDirection direction);
    void run(const float* x, const WinogradEpilogue& epilogue, float* y);

  private:
    std::int64_t input_lanes() const { return whole_lanes(tiles_.input.channels); }
    std::int64_t output_lanes() const { return whole_lanes(tiles_.output.channels); }
    std::int64_t block_values() const {
        return winograd_positions * block_groups_ * tile_rows * (input_lanes() + output_lanes());
    }

    WinogradTiles tiles_;
    std::shared_ptr<Engine> engine_;
    int threads_;
    std::int64_t groups_;        ///< of tile_rows tiles
    std::int64_t block_groups_;  ///< of them, at most, in a block
    Memory weights_;             ///< [position][columns of a register tile][in][their columns]
};

}  // namespace nanoatlas::kernels::onednn
