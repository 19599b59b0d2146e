#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "nn/zoo/families.hpp"

namespace nanoatlas::nn::zoo {

namespace {

/// TensorFlow's eps, with which the published weights were trained. Its momentum of 0.01 suits 350
/// epochs of ImageNet; a fine-tuning of some hundred steps would end with statistics that lag
/// behind its weights.
constexpr BatchNorm norm{.eps = 1e-3, .momentum = 0.1};

struct Stage {
    int blocks;
    std::int64_t kernel, stride, expansion, channels;
};
constexpr Stage stages[] = {{1, 3, 1, 1, 16}, {2, 3, 2, 6, 24},  {2, 5, 2, 6, 40},
                            {3, 3, 2, 6, 80}, {3, 5, 1, 6, 112}, {4, 5, 2, 6, 192},
                            {1, 3, 1, 6, 320}};

/// Channels times the network's width, to the nearest multiple of 8, but not below 90 %.
std::int64_t widened(std::int64_t channels, double width) {
    const double wanted = width * static_cast<double>(channels);
    const auto nearest = std::max<std::int64_t>(8, static_cast<std::int64_t>(wanted + 4) / 8 * 8);
    return static_cast<double>(nearest) < 0.9 * wanted ? nearest + 8 : nearest;
}

/// All stages but the first and the last repeat their block more often in a deeper network.
int deepened(const Stage& stage, double depth) {
    const bool is_fixed = &stage == std::begin(stages) || &stage == std::end(stages) - 1;
    return is_fixed ? stage.blocks : static_cast<int>(std::ceil(depth * stage.blocks));
}

Value pointwise(Graph& graph, Value x, const std::string& name, std::int64_t channels) {
    return graph.convolution(x, name, {.channels = channels});
}

/// Widens by 1x1, convolves each channel by itself, narrows by 1x1; a shortcut where shapes allow.
Value inverted_bottleneck(Graph& graph, Value input, const std::string& name, const Stage& stage,
                          std::int64_t channels, std::int64_t stride) {
    auto x = input;
    const std::int64_t width = graph.shape(x).channels * stage.expansion;
    if (stage.expansion != 1) {
        x = pointwise(graph, x, name + "._expand_conv", width);
        x = graph.relu6(graph.batch_norm(x, name + "._bn0", norm));
    }
    x = graph.convolution(x, name + "._depthwise_conv",
                          {.channels = width,
                           .kernel = stage.kernel,
                           .stride = stride,
                           .padding = graph.same_padding(x, stage.kernel, stride),
                           .groups = width});
    x = graph.relu6(graph.batch_norm(x, name + "._bn1", norm));
    x = pointwise(graph, x, name + "._project_conv", channels);
    x = graph.batch_norm(x, name + "._bn2", norm);
    return graph.shape(x) == graph.shape(input) ? graph.add(x, input) : x;
}

}  // namespace

Value add_efficientnet_lite(Graph& graph, const Options& options, const EfficientNetLite& lite) {
    auto x = graph.convolution(graph.input(), "_conv_stem",
                               {.channels = 32,
                                .kernel = 3,
                                .stride = 2,
                                .padding = graph.same_padding(graph.input(), 3, 2)});
    x = graph.relu6(graph.batch_norm(x, "_bn0", norm));
    int block = 0;
    for (const auto& stage : stages)
        for (int i = 0; i < deepened(stage, lite.depth); ++i) {
            const auto name = fmt::format("_blocks.{}", block++);
            x = inverted_bottleneck(graph, x, name, stage, widened(stage.channels, lite.width),
                                    i == 0 ? stage.stride : 1);
            graph.add_name(x, name);
        }
    x = graph.relu6(graph.batch_norm(pointwise(graph, x, "_conv_head", 1280), "_bn1", norm));
    x = graph.flatten(graph.global_average_pool(x, "_avg_pooling"), "flatten");
    graph.set_features(x);
    x = maybe_dropout(graph, x, lite.dropout, options);
    return graph.linear(x, "_fc", options.classes);
}

}  // namespace nanoatlas::nn::zoo
