// The networks by torchvision's names, as graphs; a file a family.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nn/graph.hpp"

namespace nanoatlas::nn::zoo {

struct Options {
    std::int64_t classes = 1000;
    std::int64_t channels = 3;  ///< 1: grey
    std::int64_t size = 224;    ///< side of the square input [pixels]
    bool dropout = true;        ///< off: as if every probability were 0
};

/// Parameters have torchvision's names; those of efficientnet_lite0 the names of lukemelas'
/// EfficientNet-PyTorch and those of resnet20_cifar the names of akamaster's
/// pytorch_resnet_cifar10, as in the weights that are published.
/// throws InputError if the name is unknown (lists the known ones), or the input too small
Graph make(const std::string& name, const Options& options);

/// In alphabetical order.
std::vector<std::string> names();

/// What depends on the classes, and where the channels come in: names of nodes.
struct Ends {
    std::string stem;        ///< "conv1"
    std::string classifier;  ///< "fc"
};
/// throws InputError if the name is unknown
Ends ends(const std::string& name);

}  // namespace nanoatlas::nn::zoo
