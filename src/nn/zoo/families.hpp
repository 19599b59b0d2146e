// Adds each family's layers to a graph that has its input; returns the logits.
#pragma once

#include "nn/zoo/zoo.hpp"

namespace nanoatlas::nn::zoo {

/// Residual blocks of two 3x3 convolutions, or of 1x1, 3x3, 1x1 with four times the channels.
enum class Block { basic, bottleneck };
struct ResNet {
    Block block;
    int depths[4];  ///< blocks in each stage
};

/// He, Zhang, Ren, Sun, arXiv:1512.03385; torchvision's variant with the stride in the 3x3.
Value add_resnet(Graph& graph, const Options& options, const ResNet& resnet);

/// The same paper's networks for CIFAR's images of 32 pixels, 6 depth + 2 layers deep, without
/// parameters in the shortcuts.
Value add_resnet_cifar(Graph& graph, const Options& options, int depth);

/// Iandola et al., arXiv:1602.07360, version 1.1.
Value add_squeezenet1_1(Graph& graph, const Options& options);

/// Krizhevsky, arXiv:1404.5997.
Value add_alexnet(Graph& graph, const Options& options);

/// Tan, Le, arXiv:1905.11946, in the variant without squeeze-and-excitation and with ReLU6. The
/// stochastic depth of its training is left out.
Value add_efficientnet_lite0(Graph& graph, const Options& options);

/// x after dropout, if it is on.
inline Value maybe_dropout(Graph& graph, Value x, double probability, const Options& options) {
    return options.dropout ? graph.dropout(x, probability) : x;
}

}  // namespace nanoatlas::nn::zoo
