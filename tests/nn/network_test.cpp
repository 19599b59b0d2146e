// The network compiled and run: gradients against differences of the loss, back ends and ranks
// against one another, and what callers may ask for or get wrong.
#include "nn/network.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "base/check.hpp"
#include "kernels/cudnn/cudnn.hpp"
#include "kernels/reference/cnn.hpp"
#include "nn/initialise.hpp"
#include "nn/loss.hpp"
#include "tests/mpi_test.hpp"
#include "tests/nn/gradient_of_loss.hpp"
#include "tests/nn/small_graph.hpp"

namespace nanoatlas::testing {
namespace {

using namespace nn;
using comm::Communicator;

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

Network trained_network(const NetworkOptions& options, const Communicator& comm) {
    const auto graph = small_graph();
    auto all = options;
    all.training = true;
    Network network(graph, all, comm);
    network.load(tensors_of(graph));
    return network;
}

void descend(Network& network, float rate) {
    const auto parameters = network.parameters();
    const auto gradients = network.gradients();
    for (std::size_t i = 0; i < gradients.size(); ++i) parameters[i] -= rate * gradients[i];
}

std::vector<double> losses(Network& network, const Batch& batch, int steps) {
    std::vector<double> found;
    for (int step = 0; step < steps; ++step) {
        found.push_back(network
                            .train_step(batch.images, batch.labels, {.label_smoothing = 0.1},
                                        {.seed = 3, .step = step})
                            .loss);
        descend(network, 0.05F);
    }
    return found;
}

void expect_close(const std::vector<double>& expected, const std::vector<double>& found,
                  double relative) {
    ASSERT_EQ(expected.size(), found.size());
    for (std::size_t i = 0; i < expected.size(); ++i)
        EXPECT_NEAR(expected[i], found[i], relative * std::abs(expected[i])) << "step " << i;
}

std::string message_of(const std::function<void()>& work) {
    try {
        work();
    } catch (const InputError& error) {
        return error.what();
    }
    return "";
}

TEST(Network, gradients_are_those_of_the_loss) {
    for (const auto kind : {BackendKind::reference, default_backend()}) {
        const auto all = small_batch(8);
        const auto batch = all.of_rank(world());
        auto network = trained_network({.batch = 8, .backend = kind}, world());
        const LossOptions options{.class_weights = {1, 2, 0.5, 1, 3}, .label_smoothing = 0.1};
        const auto loss = [&] {
            return network.train_step(batch.images, batch.labels, options, {.seed = 4}).loss;
        };
        expect_gradients_of_loss(network, loss, 3e-5);
    }
}

TEST(Network, agrees_with_the_reference) {
    const auto batch = small_batch(6).of_rank(world());
    auto reference = trained_network({.batch = 6, .backend = BackendKind::reference}, world());
    auto fast = trained_network({.batch = 6}, world());
    expect_close(losses(reference, batch, 4), losses(fast, batch, 4), 1e-5);
    const auto expected = reference.tensors(), found = fast.tensors();
    for (const auto& [name, tensor] : expected)
        for (std::size_t i = 0; i < tensor.values.size(); ++i)
            ASSERT_NEAR(tensor.values[i], found.at(name).values[i], 1e-4) << name;
}

TEST(Network, takes_the_same_steps_on_any_number_of_ranks) {
    for (const std::int64_t samples : {12, 7, 2}) {  // 2: fewer than ranks
        const auto all = small_batch(samples);
        auto alone = trained_network({.batch = samples}, Communicator::self());
        auto together = trained_network({.batch = samples, .bucket_bytes = 512}, world());
        expect_close(losses(alone, all, 4), losses(together, all.of_rank(world()), 4), 1e-5);
        EXPECT_EQ(world().max(together.parameters()[0]), world().min(together.parameters()[0]));
    }
}

TEST(Network, without_synchronised_norms_ranks_go_on_with_the_mean_statistics) {
    const auto batch = small_batch(8).of_rank(world());
    auto network = trained_network({.batch = 8, .sync_batch_norm = false}, world());
    losses(network, batch, 2);
    const auto mean = network.tensors().at("stem_norm.running_mean").values;
    for (const float value : mean) EXPECT_EQ(world().max(value), world().min(value));
}

TEST(Network, in_bf16_stays_near_f32) {
    const auto batch = small_batch(8).of_rank(world());
    auto exact = trained_network({.batch = 8}, world());
    auto rounded = trained_network({.batch = 8, .precision = Precision::bf16}, world());
    // Ten layers, each rounding by 2^-8 of its values at most (8 significant bits), independently:
    // logits of about 1 move by sqrt(10) 2^-8, a loss by twice that, which is 0.016 of log(5).
    expect_close(losses(exact, batch, 4), losses(rounded, batch, 4), 0.02);
}

TEST(Network, takes_part_of_a_batch) {
    const auto all = small_batch(5);
    const auto graph = small_graph();
    Network large(graph, {.batch = 5}, world()), small(graph, {.batch = 2}, world());
    large.load(tensors_of(graph));
    small.load(tensors_of(graph));
    const auto wanted = large.forward(all.images);
    const std::vector<float> expected(wanted.begin(), wanted.end());
    const auto part = all.part(2, 4);
    for (Network* network : {&large, &small}) {
        const auto found = network->forward(part.images);
        ASSERT_EQ(found.size(), 2 * small_classes);
        for (std::size_t i = 0; i < found.size(); ++i)
            EXPECT_NEAR(found[i], expected[i + 2 * small_classes], 1e-5);
    }
    EXPECT_TRUE(large.forward(std::vector<float>{}).empty());
}

TEST(Network, folds_norms_without_changing_values) {
    const auto graph = small_graph();
    NetworkOptions unfused{.batch = 3};
    for (const auto& node : graph.nodes()) unfused.keep.push_back(node.name);
    Network plain(graph, unfused, world()), fused(graph, {.batch = 3}, world());
    plain.load(tensors_of(graph));
    fused.load(tensors_of(graph));
    const auto batch = small_batch(3);
    const auto expected = plain.forward(batch.images), found = fused.forward(batch.images);
    for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(expected[i], found[i], 1e-5);
    EXPECT_LT(fused.planned_bytes(), plain.planned_bytes());
}

TEST(Network, gives_the_values_of_layers_in_torch_s_order) {
    const auto graph = small_graph();
    Network network(graph, {.batch = 2, .keep = {"joined", "pooled"}}, world());
    network.load(tensors_of(graph));
    const auto batch = small_batch(2);
    const auto logits = network.forward(batch.images);
    EXPECT_EQ(network.value("head"), std::vector<float>(logits.begin(), logits.end()));
    EXPECT_EQ(network.value("input"), batch.images);
    EXPECT_EQ(network.value("pooled").size(), 2 * 15 * 4);
    EXPECT_EQ(std::ssize(network.value("joined")),
              2 * graph.shape(graph.find("joined")).elements());
    EXPECT_NE(message_of([&] { network.value("stem"); }), "");
    EXPECT_NE(message_of([&] { network.value("no such layer"); }), "");
}

TEST(Network, pads_channels_with_zeros_before_and_behind) {
    const auto graph = small_graph();
    Network network(graph, {.batch = 2, .keep = {"padded", "right_relu"}}, world());
    network.load(tensors_of(graph));
    network.forward(small_batch(2).images);
    const auto right = network.value("right_relu"), padded = network.value("padded");
    const auto pixels = static_cast<std::size_t>(graph.shape(graph.find("padded")).pixels());
    std::vector<float> expected;
    for (std::size_t sample = 0; sample < 2; ++sample) {
        expected.insert(expected.end(), pixels, 0.0F);
        const auto first = right.begin() + static_cast<std::ptrdiff_t>(sample * 7 * pixels);
        expected.insert(expected.end(), first, first + static_cast<std::ptrdiff_t>(7 * pixels));
        expected.insert(expected.end(), 2 * pixels, 0.0F);
    }
    EXPECT_EQ(padded, expected);
}

TEST(Network, makes_an_image_of_a_row_and_repeats_its_pixels) {
    const auto graph = small_graph();
    Network network(graph, {.batch = 2, .keep = {"hidden_relu", "unflattened", "upsampled"}},
                    world());
    network.load(tensors_of(graph));
    network.forward(small_batch(2).images);
    const auto row = network.value("hidden_relu"), image = network.value("unflattened"),
               enlarged = network.value("upsampled");
    ASSERT_EQ(row.size(), image.size());
    ASSERT_EQ(enlarged.size(), 4 * image.size());
    for (std::size_t sample = 0; sample < 2; ++sample)
        for (std::size_t channel = 0; channel < 3; ++channel)
            for (std::size_t y = 0; y < 4; ++y)
                for (std::size_t x = 0; x < 4; ++x) {
                    const auto pixel = y / 2 * 2 + x / 2, plane = sample * 3 + channel;
                    EXPECT_EQ(image[plane * 4 + pixel], row[sample * 12 + pixel * 3 + channel]);
                    EXPECT_EQ(enlarged[plane * 16 + y * 4 + x], image[plane * 4 + pixel]);
                }
}

TEST(Network, keeps_what_is_frozen) {
    const auto batch = small_batch(6).of_rank(world());
    auto network = trained_network({.batch = 6, .frozen_to = "pool"}, world());
    const auto before = network.tensors();
    losses(network, batch, 2);
    for (const auto& [name, tensor] : network.tensors()) {
        const bool moves = name.starts_with("left") || name.starts_with("right") ||
                           name.starts_with("hidden") || name.starts_with("head");
        EXPECT_EQ(tensor.values != before.at(name).values, moves) << name;
    }
    for (const auto& slot : network.slots())
        EXPECT_EQ(slot.frozen, slot.offset >= std::ssize(network.gradients())) << slot.name;
    EXPECT_NE(message_of([&] { trained_network({.batch = 6, .frozen_to = "head"}, world()); }), "");
}

TEST(Network, adds_the_auxiliary_output_s_loss_times_its_weight) {
    const auto with_weight = [](double weight, std::int64_t classes) {
        Graph graph(small_input);
        const auto trunk = graph.relu(graph.convolution(
            graph.input(), "trunk", {.channels = 6, .kernel = 3, .stride = 2, .bias = true}));
        const auto pooled = graph.flatten(graph.global_average_pool(trunk));
        graph.set_auxiliary(graph.linear(pooled, "auxiliary", classes), weight);
        graph.set_output(graph.linear(graph.flatten(trunk), "head", small_classes));
        return graph;
    };
    const auto graph = with_weight(0.4, small_classes);
    const auto batch = small_batch(7).of_rank(world());
    const auto samples = std::ssize(batch.labels);
    const LossOptions options{.label_smoothing = 0.1};
    Network network(graph, {.batch = samples, .training = true, .keep = {"auxiliary"}}, world());
    network.load(tensors_of(graph));
    const auto loss_of = [&](std::span<const float> logits) {
        const auto backend = kernels::reference::make_backend();
        const kernels::LossShape shape{{samples, 1, 1, small_classes}};
        std::vector<float> gradient(logits.size());
        const auto loss = backend->loss(shape);
        const auto targets = loss_targets(batch.labels, options, shape, world());
        loss->set_targets(targets);
        loss->run(logits.data(), gradient.data());
        return loss_result(*loss, targets, *backend, world());
    };
    const auto main = loss_of(network.forward(batch.images));
    const auto auxiliary = loss_of(network.value("auxiliary"));
    const auto found = network.train_step(batch.images, batch.labels, options, {});
    EXPECT_NEAR(found.loss, main.loss + 0.4 * auxiliary.loss, 1e-5);
    EXPECT_EQ(found.correct, main.correct);
    EXPECT_NE(message_of([&] { Network(with_weight(0.4, 3), {.batch = 1}, world()); }), "");
}

TEST(Network, evaluates_with_the_parameters_of_the_last_step) {
    auto batch = small_batch(4);
    auto network = trained_network({.batch = 4}, Communicator::self());
    network.forward(batch.images);
    losses(network, batch, 2);
    const auto found = network.forward(batch.images);
    Network fresh(small_graph(), {.batch = 4}, Communicator::self());
    fresh.load(network.tensors());
    const auto expected = fresh.forward(batch.images);
    EXPECT_TRUE(std::ranges::equal(found, expected));
}

TEST(Network, says_what_is_wrong) {
    const auto graph = small_graph();
    if (kernels::cudnn::device_count() == 0) {
        const auto message = message_of(
            [&] { Network(graph, {.batch = 1, .backend = BackendKind::cudnn}, world()); });
        EXPECT_NE(message.find("use --backend onednn"), std::string::npos) << message;
    }
    EXPECT_NE(message_of([&] { Network(graph, {.batch = 1, .keep = {"x"}}, world()); }), "");
    EXPECT_NE(message_of([&] { Network(graph, {.batch = -1}, world()); }), "");
    EXPECT_NE(message_of([] { backend_kind("gpu"); }), "");
    EXPECT_NE(message_of([] { precision_of("f64"); }), "");

    Network network(graph, {.batch = 1}, world());
    auto tensors = tensors_of(graph);
    tensors.erase("a1.weight");
    EXPECT_NE(message_of([&] { network.load(tensors); }).find("a1.weight"), std::string::npos);
    tensors = tensors_of(graph);
    tensors.at("head.bias") = {{2}, {0, 0}};
    EXPECT_NE(message_of([&] { network.load(tensors); }).find("head.bias"), std::string::npos);
    const auto batch = small_batch(2);
    EXPECT_NE(message_of([&] { network.forward(batch.images); }), "");

    auto trained = trained_network({.batch = 2}, world());
    auto labels = batch.labels;
    if (world().rank() + 1 == world().size()) labels[0] = small_classes;  // every rank is told
    EXPECT_NE(message_of([&] { trained.train_step(batch.images, labels, {}, {}); }), "");
    const LossOptions uneven{.class_weights = {1, 2}};
    EXPECT_NE(message_of([&] { trained.train_step(batch.images, batch.labels, uneven, {}); }), "");
}

TEST(Network, says_that_memory_is_short_before_it_takes_any) {
    Graph graph({3, 2000, 2000});
    graph.set_output(
        graph.linear(graph.flatten(graph.global_average_pool(graph.convolution(
                         graph.input(), "conv", {.channels = 512, .kernel = 3, .padding = 1}))),
                     "fc", 2));
    EXPECT_NE(message_of([&] {
                  Network(graph, {.batch = 1 << 20, .training = true}, world());
              }).find("GiB"),
              std::string::npos);
}

}  // namespace
}  // namespace nanoatlas::testing
