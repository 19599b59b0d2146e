// A loss without labels: two views of an image are to be nearer to each other than to all others.
#pragma once

#include <cstdint>
#include <span>

namespace nanoatlas::nn {

/// NT-Xent: the mean over rows i of -log(exp(u_i . u_j / t) / sum over k != i of exp(u_i . u_k /
/// t)), u = z / |z|, j the other view of i's image. Chen, Kornblith, Norouzi, Hinton, "A simple
/// framework for contrastive learning of visual representations", ICML 2020, eq. 1.
///
/// outputs      z [2 n, columns]; rows 2 i and 2 i + 1 are views of one image; n >= 2
/// temperature  t > 0
/// gradient     of the loss by z, as long as outputs
/// returns      the loss; both are computed in f64
double contrastive_loss(std::span<const float> outputs, std::int64_t columns, double temperature,
                        std::span<float> gradient);

}  // namespace nanoatlas::nn
