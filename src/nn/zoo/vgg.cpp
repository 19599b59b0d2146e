#include <fmt/core.h>

#include "nn/zoo/families.hpp"

namespace nanoatlas::nn::zoo {

namespace {

/// Channels of a 3x3 convolution, and whether a 2x2 maximum then halves the image.
struct Stage {
    int place;  ///< in torchvision's `features`
    std::int64_t channels;
    bool pooled;
};
constexpr Stage stages[] = {{0, 64, true},    {3, 128, true},  {6, 256, false},  {8, 256, true},
                            {11, 512, false}, {13, 512, true}, {16, 512, false}, {18, 512, true}};

}  // namespace

Value add_vgg11(Graph& graph, const Options& options) {
    auto x = graph.input();
    for (const auto& stage : stages) {
        x = graph.relu(graph.convolution(
            x, fmt::format("features.{}", stage.place),
            {.channels = stage.channels, .kernel = 3, .padding = 1, .bias = true}));
        if (stage.pooled) x = graph.max_pool(x, {.kernel = 2, .stride = 2});
    }
    x = graph.flatten(graph.adaptive_average_pool(x, 7, "avgpool"));
    x = graph.relu(graph.linear(x, "classifier.0", 4096));
    x = maybe_dropout(graph, x, 0.5, options);
    x = graph.relu(graph.linear(x, "classifier.3", 4096));
    graph.set_features(x);
    x = maybe_dropout(graph, x, 0.5, options);
    return graph.linear(x, "classifier.6", options.classes);
}

}  // namespace nanoatlas::nn::zoo
