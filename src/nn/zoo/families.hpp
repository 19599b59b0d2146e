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

/// Simonyan, Zisserman, arXiv:1409.1556, configuration A.
Value add_vgg11(Graph& graph, const Options& options);

/// Szegedy, Vanhoucke, Ioffe, Shlens, Wojna, arXiv:1512.00567. Training adds 0.4 times the loss of
/// an auxiliary output, unless the image is too small for it (under 299 pixels).
Value add_inception_v3(Graph& graph, const Options& options);

struct DenseNet {
    int depths[4];  ///< layers in each block
};
/// Huang, Liu, van der Maaten, Weinberger, arXiv:1608.06993, 32 channels a layer.
Value add_densenet(Graph& graph, const Options& options, const DenseNet& densenet);

/// Sandler, Howard, Zhu, Zhmoginov, Chen, arXiv:1801.04381.
Value add_mobilenet_v2(Graph& graph, const Options& options);

struct EfficientNetLite {
    double width, depth;  ///< how many times the channels and the blocks of lite0
    double dropout;
};
/// Tan, Le, arXiv:1905.11946, in the variant without squeeze-and-excitation and with ReLU6, whose
/// stem and head all have the same width. The stochastic depth of its training is left out.
Value add_efficientnet_lite(Graph& graph, const Options& options, const EfficientNetLite& lite);

/// Liu, Mao, Wu, Feichtenhofer, Darrell, Xie, arXiv:2201.03545.
Value add_convnext_tiny(Graph& graph, const Options& options);

/// x after dropout, if it is on.
inline Value maybe_dropout(Graph& graph, Value x, double probability, const Options& options) {
    return options.dropout ? graph.dropout(x, probability) : x;
}

}  // namespace nanoatlas::nn::zoo
