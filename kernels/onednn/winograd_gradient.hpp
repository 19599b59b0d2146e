// The gradient of a 3x3 convolution's weights by Winograd's F(2x2, 3x3).
#pragma once

#include "kernels/onednn/engine.hpp"
#include "kernels/onednn/winograd_tiles.hpp"

namespace nanoatlas::kernels::onednn {

/// dW = G^T (sum over tiles of (B^T x[tile] B) * (A dy[tile] A^T)) G: the transpose of the forward
/// product, so 16 multiplications where the plain sum takes 36. Threads share out the tiles (and
/// add up their sums in a fixed order) or, where the sums are large, rows of positions.
class WinogradGradient {
  public:
    WinogradGradient(const WinogradTiles& tiles, std::shared_ptr<Engine> engine);

    /// x [input], dy [output]; dweights [out, in, 3, 3]; dbias [out] may be null.
    void run(const float* x, const float* dy, float* dweights, float* dbias) const;

  private:
    WinogradTiles tiles_;
    std::shared_ptr<Engine> engine_;
    int threads_;
    std::int64_t row_parts_, tile_parts_;  ///< their product is the number of threads
    std::int64_t block_tiles_;             ///< at most, in a block
};

}  // namespace nanoatlas::kernels::onednn
