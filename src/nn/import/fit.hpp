// Fits tensors from a file to a network of the zoo: by name, and where no name is known, by order.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nn/graph.hpp"
#include "nn/tensor.hpp"

namespace nanoatlas::nn {

struct FitOptions {
    std::string arch;
    std::int64_t classes = 0;  ///< 0: as many as the file's classifier has, 1000 without one
    std::int64_t size = 0;     ///< side of the input [pixels]; 0: as published
    bool partial = false;      ///< tensors that the file lacks are drawn instead of being an error
    std::uint64_t seed = 0;    ///< of what is drawn
};

struct Fit {
    TensorMap tensors = {};  ///< all parameters and running statistics of the network
    std::int64_t classes = 0, channels = 0;
    std::vector<std::string> drawn = {};  ///< not from the file: the classifier of other classes,
                                          ///< and what was missing
    std::vector<std::string> auxiliary = {};  ///< drawn too: what only training uses
    std::vector<std::string> surplus = {};    ///< in the file, of no use; by its names
    std::string naming = {};  ///< "timm's names", "names behind 'model.'"; empty for ours
};

/// Names may be the network's or of a convention that is known here, behind any prefix; foreign
/// ones are matched by order (names.hpp). A layer that ends in the classes is drawn where the
/// file's has others; the layers of an auxiliary head, which only training uses, where the file has
/// none.
/// throws InputError if tensors are missing or of other shapes: lists them, and names the networks
/// of the zoo that the file fits instead
Fit fit_weights(TensorMap weights, const FitOptions& options);

}  // namespace nanoatlas::nn
