// Weights to begin training from.
#pragma once

#include <cstdint>

#include "nn/graph.hpp"
#include "nn/tensor.hpp"

namespace nanoatlas::nn {

/// All parameters and running statistics of the graph: convolutions normal with variance
/// 2 / fan_in (He et al., arXiv:1502.01852), linear weights and biases uniform within
/// 1 / sqrt(fan_in), convolutions' biases 0, norms 1 and 0, layer
/// scales as the graph says. A function of the seed and the tensors'
/// names.
TensorMap initial_tensors(const Graph& graph, std::uint64_t seed);

}  // namespace nanoatlas::nn
