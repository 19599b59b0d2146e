// An autoencoder: a network that puts its input out again by way of a code of few numbers.
//
// Hinton, Salakhutdinov, "Reducing the dimensionality of data with neural networks", Science 313
// (2006) 504. Without hidden layers its code spans the leading principal components (Baldi, Hornik,
// Neural Networks 2 (1989) 53).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nn/graph.hpp"
#include "nn/tensor.hpp"

namespace nanoatlas::reduce {

/// All that encoding and decoding need.
struct Autoencoder {
    nn::Shape input{};  ///< of a row: {columns, 1, 1}, or a grey picture {1, side, side}
    /// Between input and code, and the other way round between code and output. Of columns: units
    /// of the layers. Of pictures: channels of the convolutions, each of which halves the sides.
    std::vector<std::int64_t> hidden{};
    std::int64_t code = 0;  ///< numbers that a row becomes
    /// The network reads (x - mean) / deviation: [columns], or one of each for all grey values.
    std::vector<double> mean{}, deviation{};
    nn::TensorMap tensors{};  ///< of graph_of(), by its names

    bool reads_pictures() const { return input.pixels() > 1; }
};

/// The network: "code" is its features, what it puts out has the shape of the input. Layers of
/// columns are linear with GELU between them. Pictures pass 3x3 convolutions of stride 2 with batch
/// norm and ReLU, a linear layer to the code and one from it, and then, for each of those
/// convolutions, are enlarged to twice the sides and convolved (nearest neighbours first, so that
/// no chequered pattern arises: Odena, Dumoulin, Olah, Distill 2016).
/// throws InputError if a size is not in [1, 2^20], the code is as wide as the input, or the sides
/// of pictures cannot be halved so often
nn::Graph graph_of(const Autoencoder& autoencoder);

/// Name of the linear layer that reads the code.
std::string layer_behind_code(const Autoencoder& autoencoder);

/// "512,128" or "none". throws InputError for anything else
std::vector<std::int64_t> parse_hidden(const std::string& text);
std::string hidden_text(const std::vector<std::int64_t>& hidden);

}  // namespace nanoatlas::reduce
