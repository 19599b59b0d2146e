// How the values of a quantised network's layers are stored.
#pragma once

#include <vector>

#include "kernels/quantised.hpp"
#include "nn/ranges.hpp"
#include "nn/stage.hpp"

namespace nanoatlas::nn {

/// A stored element q stands for factor * format.scale * q + shift of its channel. Kernels know the
/// format alone: factors and shifts are folded into weights and biases.
struct ChannelFormat {
    kernels::Format format = {};
    std::vector<float> factors = {}, shifts = {};  ///< [channels]; both empty: 1 and 0

    float factor(std::size_t c) const { return factors.empty() ? 1 : factors[c]; }
    float shift(std::size_t c) const { return shifts.empty() ? 0 : shifts[c]; }
};

/// By storage, of which each that a group puts out has its range. What a concatenation or a pooling
/// copies is stored alike on both sides.
std::vector<ChannelFormat> choose_formats(const Fusion& fusion, const Ranges& ranges,
                                          const Wiring& wiring);

/// Whether what an operation puts out are integers that it reads, so that both have one format.
bool copies_integers(Op op);

}  // namespace nanoatlas::nn
