#include <fmt/core.h>

#include "nn/zoo/families.hpp"

namespace nanoatlas::nn::zoo {

namespace {

/// How a block's input is brought to the shape of its output where they differ: the paper's option
/// B, a 1x1 convolution with a norm, or A, every second pixel and zeros for the new channels.
enum class Shortcut { projection, padding };

struct BlockShape {
    std::string name;       ///< "layer1.0"
    std::int64_t channels;  ///< of the 3x3 convolutions
    std::int64_t stride;
    Shortcut shortcut = Shortcut::projection;
};

Value convolution(Graph& graph, Value x, const std::string& name, std::int64_t channels,
                  std::int64_t kernel, std::int64_t stride) {
    return graph.convolution(
        x, name, {.channels = channels, .kernel = kernel, .stride = stride, .padding = kernel / 2});
}

Value shortcut(Graph& graph, Value x, const Shape& shape, const BlockShape& block) {
    if (graph.shape(x) == shape) return x;
    if (block.shortcut == Shortcut::padding) {
        const auto added = (shape.channels - graph.shape(x).channels) / 2;
        return graph.pad_channels(graph.average_pool(x, {.kernel = 1, .stride = block.stride}),
                                  {.before = added, .behind = added});
    }
    const auto projected =
        convolution(graph, x, block.name + ".downsample.0", shape.channels, 1, block.stride);
    return graph.batch_norm(projected, block.name + ".downsample.1");
}

Value basic_block(Graph& graph, Value x, const BlockShape& block) {
    auto y = convolution(graph, x, block.name + ".conv1", block.channels, 3, block.stride);
    y = graph.relu(graph.batch_norm(y, block.name + ".bn1"));
    y = convolution(graph, y, block.name + ".conv2", block.channels, 3, 1);
    y = graph.batch_norm(y, block.name + ".bn2");
    return graph.relu(graph.add(y, shortcut(graph, x, graph.shape(y), block)));
}

Value bottleneck_block(Graph& graph, Value x, const BlockShape& block) {
    auto y = convolution(graph, x, block.name + ".conv1", block.channels, 1, 1);
    y = graph.relu(graph.batch_norm(y, block.name + ".bn1"));
    y = convolution(graph, y, block.name + ".conv2", block.channels, 3, block.stride);
    y = graph.relu(graph.batch_norm(y, block.name + ".bn2"));
    y = convolution(graph, y, block.name + ".conv3", 4 * block.channels, 1, 1);
    y = graph.batch_norm(y, block.name + ".bn3");
    return graph.relu(graph.add(y, shortcut(graph, x, graph.shape(y), block)));
}

}  // namespace

Value add_resnet(Graph& graph, const Options& options, const ResNet& resnet) {
    auto x = graph.convolution(graph.input(), "conv1",
                               {.channels = 64, .kernel = 7, .stride = 2, .padding = 3});
    x = graph.relu(graph.batch_norm(x, "bn1"));
    x = graph.max_pool(x, {.kernel = 3, .stride = 2, .padding = 1}, "maxpool");
    for (int stage = 0; stage < 4; ++stage) {
        const auto layer = fmt::format("layer{}", stage + 1);
        for (int i = 0; i < resnet.depths[stage]; ++i) {
            const BlockShape block{fmt::format("{}.{}", layer, i), std::int64_t{64} << stage,
                                   stage > 0 && i == 0 ? 2 : 1};
            x = resnet.block == Block::basic ? basic_block(graph, x, block)
                                             : bottleneck_block(graph, x, block);
        }
        graph.add_name(x, layer);
    }
    x = graph.flatten(graph.global_average_pool(x, "avgpool"), "flatten");
    graph.set_features(x);
    return graph.linear(x, "fc", options.classes);
}

Value add_resnet_cifar(Graph& graph, const Options& options, int depth) {
    auto x = convolution(graph, graph.input(), "conv1", 16, 3, 1);
    x = graph.relu(graph.batch_norm(x, "bn1"));
    for (int stage = 0; stage < 3; ++stage) {
        const auto layer = fmt::format("layer{}", stage + 1);
        for (int i = 0; i < depth; ++i)
            x = basic_block(graph, x,
                            {fmt::format("{}.{}", layer, i), std::int64_t{16} << stage,
                             stage > 0 && i == 0 ? 2 : 1, Shortcut::padding});
        graph.add_name(x, layer);
    }
    x = graph.flatten(graph.global_average_pool(x, "avgpool"), "flatten");
    graph.set_features(x);
    return graph.linear(x, "linear", options.classes);
}

}  // namespace nanoatlas::nn::zoo
