#include <fmt/core.h>

#include "nn/zoo/families.hpp"

namespace nanoatlas::nn::zoo {

namespace {

constexpr std::int64_t growth = 32;  ///< channels that each layer adds

Value activated_norm(Graph& graph, Value x, const std::string& name) {
    return graph.relu(graph.batch_norm(x, name));
}

/// All that came before, and 32 channels made of it by way of 128.
Value dense_layer(Graph& graph, Value input, const std::string& name) {
    auto x = activated_norm(graph, input, name + ".norm1");
    x = graph.convolution(x, name + ".conv1", {.channels = 4 * growth});
    x = activated_norm(graph, x, name + ".norm2");
    x = graph.convolution(x, name + ".conv2", {.channels = growth, .kernel = 3, .padding = 1});
    return graph.concat({input, x}, name);
}

/// Halves channels, height and width.
Value transition(Graph& graph, Value x, const std::string& name) {
    x = activated_norm(graph, x, name + ".norm");
    x = graph.convolution(x, name + ".conv", {.channels = graph.shape(x).channels / 2});
    return graph.average_pool(x, {.kernel = 2, .stride = 2}, name);
}

}  // namespace

Value add_densenet(Graph& graph, const Options& options, const DenseNet& densenet) {
    auto x = graph.convolution(graph.input(), "features.conv0",
                               {.channels = 64, .kernel = 7, .stride = 2, .padding = 3});
    x = activated_norm(graph, x, "features.norm0");
    x = graph.max_pool(x, {.kernel = 3, .stride = 2, .padding = 1});
    for (int block = 1; block <= 4; ++block) {
        for (int i = 1; i <= densenet.depths[block - 1]; ++i)
            x = dense_layer(graph, x, fmt::format("features.denseblock{}.denselayer{}", block, i));
        graph.add_name(x, fmt::format("features.denseblock{}", block));
        if (block < 4) x = transition(graph, x, fmt::format("features.transition{}", block));
    }
    x = activated_norm(graph, x, "features.norm5");
    x = graph.flatten(graph.global_average_pool(x, "avgpool"), "flatten");
    graph.set_features(x);
    return graph.linear(x, "classifier", options.classes);
}

}  // namespace nanoatlas::nn::zoo
