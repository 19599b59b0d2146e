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
    std::int64_t size = 224;   ///< side of the input [pixels]
    bool partial = false;      ///< tensors that the file lacks are drawn instead of being an error
    std::uint64_t seed = 0;    ///< of what is drawn
};

struct Fit {
    TensorMap tensors;  ///< all parameters and running statistics of the network
    std::int64_t classes, channels;
    std::vector<std::string> drawn;    ///< not from the file: the classifier of other classes, and
                                       ///< what was missing
    std::vector<std::string> surplus;  ///< in the file, of no use
    bool by_order = false;             ///< the file's names were foreign
};

/// Foreign names (of ONNX's or Gluon's exports) are matched in their natural order, convolutions,
/// norms and dense layers each by themselves, if every shape agrees; a prefix that all names share
/// is dropped.
/// throws InputError if tensors are missing or of other shapes: lists them
Fit fit_weights(TensorMap weights, const FitOptions& options);

}  // namespace nanoatlas::nn
