#include <fmt/core.h>

#include "nn/zoo/families.hpp"

namespace nanoatlas::nn::zoo {

namespace {

constexpr LayerNorm norm{.eps = 1e-6};
constexpr double depth_drop = 0.1;  ///< of the last block; the others rise to it from 0

struct Stage {
    std::int64_t channels;
    int blocks;
};
constexpr Stage tiny[] = {{96, 3}, {192, 3}, {384, 9}, {768, 3}};
constexpr int tiny_blocks = 18;

/// Each channel by itself, then each pixel by itself through four times the channels, on top of a
/// shortcut.
Value block(Graph& graph, Value input, const std::string& name, double drop,
            const Options& options) {
    const std::int64_t width = graph.shape(input).channels;
    auto x = graph.convolution(
        input, name + ".block.0",
        {.channels = width, .kernel = 7, .padding = 3, .groups = width, .bias = true});
    x = graph.layer_norm(x, name + ".block.2", norm);
    x = graph.gelu(graph.linear_of_pixels(x, name + ".block.3", 4 * width));
    x = graph.linear_of_pixels(x, name + ".block.5", width);
    x = graph.layer_scale(x, name + ".layer_scale");
    if (options.dropout) x = graph.stochastic_depth(x, drop);
    return graph.add(x, input);
}

}  // namespace

Value add_convnext_tiny(Graph& graph, const Options& options) {
    auto x =
        graph.convolution(graph.input(), "features.0.0",
                          {.channels = tiny[0].channels, .kernel = 4, .stride = 4, .bias = true});
    x = graph.layer_norm(x, "features.0.1", norm);
    int place = 1, number = 0;
    for (const auto& stage : tiny) {
        if (place > 1) {
            const auto name = fmt::format("features.{}", place++);
            x = graph.layer_norm(x, name + ".0", norm);
            x = graph.convolution(
                x, name + ".1",
                {.channels = stage.channels, .kernel = 2, .stride = 2, .bias = true});
        }
        for (int i = 0; i < stage.blocks; ++i, ++number) {
            const auto name = fmt::format("features.{}.{}", place, i);
            x = block(graph, x, name, depth_drop * number / (tiny_blocks - 1), options);
            graph.add_name(x, name);
        }
        graph.add_name(x, fmt::format("features.{}", place++));
    }
    x = graph.global_average_pool(x, "avgpool");
    x = graph.flatten(graph.layer_norm(x, "classifier.0", norm), "flatten");
    graph.set_features(x);
    return graph.linear(x, "classifier.2", options.classes);
}

}  // namespace nanoatlas::nn::zoo
