// Networks on 8-bit integers against themselves in f32.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/check.hpp"
#include "nn/initialise.hpp"
#include "nn/network.hpp"
#include "tests/mpi_test.hpp"
#include "tests/nn/small_graph.hpp"

namespace nanoatlas::testing {
namespace {

using namespace nn;
using Values = std::vector<float>;

/// Initial tensors with norms and running statistics away from 1 and 0.
TensorMap tensors_of(const Graph& graph) {
    auto tensors = initial_tensors(graph, 7);
    base::Random random(9);
    for (auto& [name, tensor] : tensors)
        if (tensor.shape.size() == 1)
            for (auto& value : tensor.values)
                value += static_cast<float>(random.uniform(-0.3, 0.3));
    return tensors;
}

Network network_of(const Graph& graph, std::int64_t batch, std::vector<std::string> keep = {}) {
    Network network(graph, {.batch = batch, .keep = std::move(keep)}, comm::Communicator::self());
    network.load(tensors_of(graph));
    return network;
}

Values draw_images(const Graph& graph, std::int64_t count, std::uint64_t seed) {
    base::Random random(seed);
    Values images(static_cast<std::size_t>(count * graph.shape(graph.input()).elements()));
    for (auto& value : images) value = static_cast<float>(random.uniform(-1, 1));
    return images;
}

void quantise(Network& network, std::span<const float> images) {
    network.quantise([&](const Network::Images& use) { use(images); }, comm::Communicator::self());
}

/// |a - b| / |b|
double distance(std::span<const float> a, std::span<const float> b) {
    double difference = 0, length = 0;
    for (std::size_t i = 0; i < b.size(); ++i) {
        difference += std::pow(a[i] - b[i], 2);
        length += std::pow(b[i], 2);
    }
    return std::sqrt(difference / length);
}

/// How far logits, features and the kept layers are from f32's.
double worst_distance(const Graph& graph, const std::vector<std::string>& keep) {
    auto exact = network_of(graph, 6, keep), quantised = network_of(graph, 6, keep);
    const auto images = draw_images(graph, 6, 1);
    quantise(quantised, images);
    double worst = distance(quantised.forward(images), exact.forward(images));
    auto names = keep;
    names.push_back(graph.node(graph.features()).name);
    for (const auto& name : names) {
        const auto expected = exact.value(name), found = quantised.value(name);
        EXPECT_EQ(expected.size(), found.size());
        worst = std::max(worst, distance(found, expected));
    }
    return worst;
}

TEST(QuantisedNetwork, a_layer_of_every_kind_stays_close_to_f32) {
    EXPECT_LT(worst_distance(small_graph(), {}), 0.02);
}

TEST(QuantisedNetwork, any_layer_can_be_kept) {
    const auto graph = small_graph();
    for (const auto& node : graph.nodes())
        EXPECT_LT(worst_distance(graph, {node.name}), 0.03) << node.name;
}

TEST(QuantisedNetwork, values_that_are_computed_in_f32_are_quantised_for_their_readers) {
    // A norm behind a concatenation, sums and activations by themselves, between convolutions.
    Graph graph({3, 8, 8});
    const auto a = graph.convolution(graph.input(), "a", {.channels = 8, .kernel = 3});
    const auto b = graph.relu(graph.add(a, a), "sum");
    const auto joined = graph.concat({a, b, graph.relu6(a)}, "joined");
    auto x = graph.relu(graph.batch_norm(joined, "norm"));
    x = graph.convolution(x, "c", {.channels = 12, .kernel = 3, .bias = true});
    x = graph.relu(graph.batch_norm(graph.add(x, x), "lone_norm"));
    x = graph.average_pool(graph.max_pool(x, {.kernel = 2, .stride = 1}),
                           {.kernel = 2, .stride = 1});
    x = graph.flatten(graph.adaptive_average_pool(x, 1));
    graph.set_features(x);
    graph.set_output(graph.linear(x, "head", 5));
    EXPECT_LT(worst_distance(graph, {}), 0.02);
}

TEST(QuantisedNetwork, layer_norms_and_gelu_stand_between_integers) {
    Graph graph({3, 8, 8});
    auto x = graph.convolution(graph.input(), "stem", {.channels = 8, .kernel = 2, .stride = 2});
    x = graph.layer_norm(x, "stem_norm");
    auto branch = graph.convolution(
        x, "depthwise", {.channels = 8, .kernel = 3, .padding = 1, .groups = 8, .bias = true});
    branch = graph.layer_norm(branch, "norm");
    branch = graph.gelu(graph.convolution(branch, "wide", {.channels = 32, .bias = true}));
    branch = graph.convolution(branch, "narrow", {.channels = 8, .bias = true});
    x = graph.add(graph.layer_scale(branch, "scale"), x);
    x = graph.flatten(graph.adaptive_average_pool(x, 1));
    graph.set_features(x);
    graph.set_output(graph.linear(x, "head", 5));
    EXPECT_LT(worst_distance(graph, {}), 0.02);
}

TEST(QuantisedNetwork, a_partial_batch_gives_what_a_full_one_does) {
    const auto graph = small_graph();
    auto network = network_of(graph, 5);
    const auto images = draw_images(graph, 5, 2);
    quantise(network, images);
    const auto logits = network.forward(images);
    const Values all(logits.begin(), logits.end());
    const auto size = static_cast<std::size_t>(graph.shape(graph.input()).elements());
    for (std::size_t i = 0; i < 5; ++i) {
        const auto one = network.forward(std::span(images).subspan(i * size, size));
        // Some value in f32 may lie so near a half that its last bits decide how it is rounded.
        EXPECT_LT(distance(one, std::span(all).subspan(i * one.size(), one.size())), 0.01);
    }
}

TEST(QuantisedNetwork, other_weights_are_evaluated_in_f32) {
    const auto graph = small_graph();
    auto network = network_of(graph, 2), exact = network_of(graph, 2);
    const auto images = draw_images(graph, 2, 3);
    quantise(network, images);
    auto tensors = tensors_of(graph);
    for (auto& value : tensors.at("head.weight").values) value = -value;
    network.load(tensors);
    exact.load(tensors);
    EXPECT_TRUE(std::ranges::equal(network.forward(images), exact.forward(images)));
}

TEST(QuantisedNetwork, is_the_same_on_any_number_of_ranks) {
    const auto graph = small_graph();
    const auto images = draw_images(graph, 8, 4);
    const auto size = static_cast<std::size_t>(graph.shape(graph.input()).elements());
    const auto evaluate = [&](const comm::Communicator& comm) {
        auto network = network_of(graph, 1);
        auto ranges = network.quantise(
            [&](const Network::Images& use) {
                for (std::size_t i = 0; i < 8; ++i)
                    if (static_cast<int>(i) % comm.size() == comm.rank())
                        use(std::span(images).subspan(i * size, size));
            },
            comm);
        const auto logits = network.forward(std::span(images).first(size));
        return std::pair(std::move(ranges), Values(logits.begin(), logits.end()));
    };
    EXPECT_EQ(evaluate(world()), evaluate(comm::Communicator::self()));
}

TEST(QuantisedNetwork, needs_images) {
    auto network = network_of(small_graph(), 1);
    EXPECT_THROW(network.quantise([](const Network::Images&) {}, comm::Communicator::self()),
                 InputError);
}

TEST(QuantisedNetwork, channels_of_other_sizes_share_no_step) {
    // Channels from 1 to 1/256 in size; by one step for all, the small ones would vanish.
    Graph graph({3, 8, 8});
    auto x = graph.convolution(graph.input(), "stem", {.channels = 16, .kernel = 3, .padding = 1});
    x = graph.relu6(graph.batch_norm(x, "norm"));
    x = graph.convolution(x, "depthwise", {.channels = 16, .kernel = 3, .groups = 16});
    x = graph.batch_norm(graph.convolution(x, "narrow", {.channels = 16}), "narrow_norm");
    x = graph.flatten(graph.adaptive_average_pool(x, 1));
    graph.set_features(x);
    graph.set_output(graph.linear(x, "head", 5));
    auto tensors = tensors_of(graph);
    for (std::size_t c = 0; c < 16; ++c) {
        const float size = std::ldexp(1.0F, -static_cast<int>(c) / 2);
        tensors.at("norm.weight").values[c] *= size;
        tensors.at("norm.bias").values[c] *= size;
        for (std::size_t i = 0; i < 9; ++i)
            tensors.at("depthwise.weight").values[9 * c + i] /= size;
    }
    auto exact = network_of(graph, 6), quantised = network_of(graph, 6);
    exact.load(tensors);
    quantised.load(tensors);
    const auto images = draw_images(graph, 6, 1);
    quantise(quantised, images);
    EXPECT_LT(distance(quantised.forward(images), exact.forward(images)), 0.01);
}

TEST(QuantisedNetwork, other_back_ends_are_refused) {
    const auto graph = small_graph();
    Network network(graph, {.batch = 1, .backend = BackendKind::reference},
                    comm::Communicator::self());
    EXPECT_THROW(quantise(network, draw_images(graph, 1, 6)), InputError);
    EXPECT_THROW(network.observe(draw_images(graph, 1, 6), {}), InputError);
}

}  // namespace
}  // namespace nanoatlas::testing
