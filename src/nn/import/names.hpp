// Finds out which tensor of a file is which of a network, whoever named them.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "nn/graph.hpp"
#include "nn/tensor.hpp"

namespace nanoatlas::nn {

/// A network's names, each with the file's for the same tensor.
struct Translation {
    std::map<std::string, std::string> theirs;  ///< by the network's name
    std::string_view convention;  ///< whose names they are: "timm"; empty for the network's own
    std::string prefix;           ///< before all of them: "backbone."
};

/// By name: the network's own or those of a convention known here (conventions.cpp), alone or
/// behind a prefix; of several readings the one that knows most of the network's tensors. Shapes
/// are not looked at. Nothing is translated where no name is known.
///
/// arch   the network's name in the zoo
/// specs  its tensors
Translation translate_by_name(const TensorMap& weights, const std::string& arch,
                              const std::vector<TensorSpec>& specs);

/// By order, for names of no convention (ONNX's "onnx::Conv_193", Gluon's
/// "resnetv10_conv0_weight"): the weights in their natural order, convolutions, norms and dense
/// layers each by themselves, against the network's. Nothing is translated unless all tensors pair
/// off with equal shapes, but for the channels of the first layer and the classes of the last.
Translation translate_by_order(const TensorMap& weights, const std::string& arch,
                               const std::vector<TensorSpec>& specs);

/// True if the values of one are those of the other in the same order for a layer that reads them:
/// equal but for ones at the end, or a dense layer written as a convolution over its whole input.
bool is_same_layer(const std::vector<std::int64_t>& a, const std::vector<std::int64_t>& b);

}  // namespace nanoatlas::nn
