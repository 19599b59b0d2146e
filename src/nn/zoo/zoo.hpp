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
    std::int64_t size = 0;      ///< side of the square input [pixels]; 0: as published
    bool dropout = true;        ///< and stochastic depth; off: as if every probability were 0
};

/// Parameters have torchvision's names; those of efficientnet_lite* the names of lukemelas'
/// EfficientNet-PyTorch, those of resnet20_cifar the names of akamaster's pytorch_resnet_cifar10,
/// as in the weights that are published. throws InputError if the name is unknown (lists the known
/// ones), or the input too small
Graph make(const std::string& name, const Options& options);

/// In alphabetical order.
std::vector<std::string> names();

/// What depends on the classes, and where the channels come in: names of nodes.
struct Ends {
    std::string stem;            ///< "conv1"
    std::string classifier;      ///< "fc"
    std::string auxiliary = {};  ///< classifier of the auxiliary output; empty without one
    /// Whether a tensor is one of a classifier's, so that its shape depends on the classes.
    bool is_classifier(const std::string& tensor) const {
        return tensor.starts_with(classifier + ".") ||
               (!auxiliary.empty() && tensor.starts_with(auxiliary + "."));
    }
};
/// throws InputError if the name is unknown
Ends ends(const std::string& name);

/// Side of the images with which the published weights were trained [pixels].
/// throws InputError if the name is unknown
std::int64_t published_size(const std::string& name);

}  // namespace nanoatlas::nn::zoo
