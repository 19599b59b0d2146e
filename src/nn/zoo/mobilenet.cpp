#include <fmt/core.h>

#include "nn/zoo/families.hpp"

namespace nanoatlas::nn::zoo {

namespace {

struct Stage {
    std::int64_t expansion, channels;
    int blocks;
    std::int64_t stride;
};
constexpr Stage stages[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                            {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};

/// Convolution, norm and ReLU6 as torchvision numbers them: "name.0" and "name.1".
Value activated(Graph& graph, Value x, const std::string& name, const Convolution& options) {
    x = graph.convolution(x, name + ".0", options);
    return graph.relu6(graph.batch_norm(x, name + ".1"));
}

/// Widens by 1x1, convolves each channel by itself, narrows by 1x1; a shortcut where shapes allow.
Value inverted_residual(Graph& graph, Value input, const std::string& name, const Stage& stage,
                        std::int64_t stride) {
    auto x = input;
    int place = 0;
    const auto next = [&] { return fmt::format("{}.conv.{}", name, place++); };
    const std::int64_t width = graph.shape(x).channels * stage.expansion;
    if (stage.expansion != 1) x = activated(graph, x, next(), {.channels = width});
    x = activated(
        graph, x, next(),
        {.channels = width, .kernel = 3, .stride = stride, .padding = 1, .groups = width});
    x = graph.convolution(x, next(), {.channels = stage.channels});
    x = graph.batch_norm(x, next());
    return graph.shape(x) == graph.shape(input) ? graph.add(x, input) : x;
}

}  // namespace

Value add_mobilenet_v2(Graph& graph, const Options& options) {
    auto x = activated(graph, graph.input(), "features.0",
                       {.channels = 32, .kernel = 3, .stride = 2, .padding = 1});
    int place = 1;
    for (const auto& stage : stages)
        for (int i = 0; i < stage.blocks; ++i) {
            const auto name = fmt::format("features.{}", place++);
            x = inverted_residual(graph, x, name, stage, i == 0 ? stage.stride : 1);
            graph.add_name(x, name);
        }
    x = activated(graph, x, "features.18", {.channels = 1280});
    x = graph.flatten(graph.global_average_pool(x, "avgpool"), "flatten");
    graph.set_features(x);
    x = maybe_dropout(graph, x, 0.2, options);
    return graph.linear(x, "classifier.1", options.classes);
}

}  // namespace nanoatlas::nn::zoo
