#include <fmt/core.h>

#include "nn/zoo/families.hpp"

namespace nanoatlas::nn::zoo {

namespace {

/// Channels squeezed to, and expanded to by the 1x1 and by the 3x3 half.
struct Fire {
    int place;  ///< in torchvision's `features`
    std::int64_t squeeze, expand;
};
constexpr Fire fires[] = {{3, 16, 64},  {4, 16, 64},   {6, 32, 128},  {7, 32, 128},
                          {9, 48, 192}, {10, 48, 192}, {11, 64, 256}, {12, 64, 256}};

Value add_fire(Graph& graph, Value x, const Fire& fire) {
    const auto name = fmt::format("features.{}", fire.place);
    x = graph.relu(
        graph.convolution(x, name + ".squeeze", {.channels = fire.squeeze, .bias = true}));
    const auto narrow = graph.relu(
        graph.convolution(x, name + ".expand1x1", {.channels = fire.expand, .bias = true}));
    const auto wide = graph.relu(
        graph.convolution(x, name + ".expand3x3",
                          {.channels = fire.expand, .kernel = 3, .padding = 1, .bias = true}));
    return graph.concat({narrow, wide}, name);
}

}  // namespace

Value add_squeezenet1_1(Graph& graph, const Options& options) {
    const Pool halve{.kernel = 3, .stride = 2, .ceil_mode = true};
    auto x = graph.convolution(graph.input(), "features.0",
                               {.channels = 64, .kernel = 3, .stride = 2, .bias = true});
    x = graph.max_pool(graph.relu(x), halve);
    for (const auto& fire : fires) {
        if (fire.place == 6 || fire.place == 9) x = graph.max_pool(x, halve);
        x = add_fire(graph, x, fire);
    }
    graph.set_features(graph.flatten(graph.global_average_pool(x), "pooled"));
    x = maybe_dropout(graph, x, 0.5, options);
    x = graph.relu(
        graph.convolution(x, "classifier.1", {.channels = options.classes, .bias = true}));
    return graph.flatten(graph.global_average_pool(x), "flatten");
}

}  // namespace nanoatlas::nn::zoo
