// A small network with a layer of every kind, and a batch for it.
#pragma once

#include <algorithm>
#include <vector>

#include "base/random.hpp"
#include "comm/distribution.hpp"
#include "nn/graph.hpp"

namespace nanoatlas::testing {

inline constexpr nn::Shape small_input{3, 12, 11};
inline constexpr std::int64_t small_classes = 5;

/// Residual with and without a projection, and as ConvNeXt's; an auxiliary output, branches that
/// are padded and concatenated, grouped and depthwise convolutions, uneven padding, all
/// activations, all kinds of pooling, dropout, two linear layers, an image made of a row and
/// enlarged.
inline nn::Graph small_graph() {
    nn::Graph graph(small_input);
    auto x = graph.convolution(graph.input(), "stem",
                               {.channels = 8, .kernel = 3, .stride = 2, .padding = {1, 0, 2, 1}});
    x = graph.relu(graph.batch_norm(x, "stem_norm"));

    auto branch =
        graph.convolution(x, "a1", {.channels = 8, .kernel = 3, .padding = 1, .groups = 2});
    branch = graph.relu6(graph.batch_norm(branch, "a1_norm"));
    branch = graph.batch_norm(graph.convolution(branch, "a2", {.channels = 8}), "a2_norm");
    x = graph.relu(graph.add(branch, x), "block1");

    branch = graph.convolution(x, "b1", {.channels = 8, .kernel = 3, .padding = 1, .groups = 8});
    branch = graph.batch_norm(branch, "b1_norm");
    auto skip = graph.batch_norm(graph.convolution(x, "b2", {.channels = 8}), "b2_norm");
    x = graph.add(branch, skip, "block2");

    branch = graph.convolution(
        x, "c1", {.channels = 8, .kernel = 3, .padding = 1, .groups = 8, .bias = true});
    branch = graph.layer_norm(branch, "c1_norm");
    branch = graph.gelu(graph.linear_of_pixels(branch, "c2", 16));
    branch = graph.linear_of_pixels(branch, "c3", 8);
    branch = graph.layer_scale(branch, "c_scale", {.initial = 0.5});
    x = graph.add(graph.stochastic_depth(branch, 0.25), x, "block3");
    graph.set_auxiliary(
        graph.linear(graph.flatten(graph.global_average_pool(x)), "auxiliary", small_classes), 0.3);

    x = graph.max_pool(x, {.kernel = 3, .stride = 2, .ceil_mode = true}, "pool");
    const auto left = graph.relu(graph.convolution(x, "left", {.channels = 5, .bias = true}));
    const auto right = graph.relu(
        graph.convolution(x, "right", {.channels = 7, .kernel = 3, .padding = 1, .bias = true}),
        "right_relu");
    x = graph.concat({left, graph.pad_channels(right, {.before = 1, .behind = 2}, "padded")},
                     "joined");
    x = graph.average_pool(x, {.kernel = 2, .stride = 1}, "average");
    x = graph.adaptive_average_pool(x, 2, "pooled");
    x = graph.relu(graph.linear(graph.dropout(graph.flatten(x), 0.25), "hidden", 12),
                   "hidden_relu");
    x = graph.upsample(graph.unflatten(x, {3, 2, 2}, "unflattened"), 2, "upsampled");
    x = graph.flatten(x);
    graph.set_features(x);
    graph.set_output(graph.linear(x, "head", small_classes));
    return graph;
}

struct Batch {
    std::vector<float> images;
    std::vector<std::int32_t> labels;

    /// Samples [first, last).
    Batch part(std::int64_t first, std::int64_t last) const {
        const auto size = small_input.elements();
        return {{images.begin() + first * size, images.begin() + last * size},
                {labels.begin() + first, labels.begin() + last}};
    }
    Batch of_rank(const comm::Communicator& comm) const {
        const auto rows = comm::row_block(std::ssize(labels), comm);
        return part(rows.first, rows.end());
    }
};

inline Batch small_batch(std::int64_t samples, std::uint64_t seed = 1) {
    base::Random random(seed);
    Batch batch;
    for (std::int64_t i = 0; i < samples * small_input.elements(); ++i)
        batch.images.push_back(static_cast<float>(random.uniform(-1, 1)));
    for (std::int64_t i = 0; i < samples; ++i)
        batch.labels.push_back(static_cast<std::int32_t>(random.below(small_classes)));
    return batch;
}

}  // namespace nanoatlas::testing
