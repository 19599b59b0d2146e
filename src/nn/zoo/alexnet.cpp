#include <fmt/core.h>

#include "nn/zoo/families.hpp"

namespace nanoatlas::nn::zoo {

namespace {

struct Stage {
    int place;  ///< in torchvision's `features`
    std::int64_t channels, kernel, stride, padding;
    bool pooled;  ///< followed by a 3x3 maximum at every second pixel
};
constexpr Stage stages[] = {{0, 64, 11, 4, 2, true},
                            {3, 192, 5, 1, 2, true},
                            {6, 384, 3, 1, 1, false},
                            {8, 256, 3, 1, 1, false},
                            {10, 256, 3, 1, 1, true}};

}  // namespace

Value add_alexnet(Graph& graph, const Options& options) {
    auto x = graph.input();
    for (const auto& stage : stages) {
        x = graph.relu(graph.convolution(x, fmt::format("features.{}", stage.place),
                                         {.channels = stage.channels,
                                          .kernel = stage.kernel,
                                          .stride = stage.stride,
                                          .padding = stage.padding,
                                          .bias = true}));
        if (stage.pooled) x = graph.max_pool(x, {.kernel = 3, .stride = 2});
    }
    x = graph.flatten(graph.adaptive_average_pool(x, 6, "avgpool"));
    x = maybe_dropout(graph, x, 0.5, options);
    x = graph.relu(graph.linear(x, "classifier.1", 4096));
    x = maybe_dropout(graph, x, 0.5, options);
    x = graph.relu(graph.linear(x, "classifier.4", 4096));
    graph.set_features(x);
    return graph.linear(x, "classifier.6", options.classes);
}

}  // namespace nanoatlas::nn::zoo
