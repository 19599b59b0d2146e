// A small course of training on pictures drawn here: three classes that a network of two layers
// learns in seconds.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "base/random.hpp"
#include "kernels/kokkos/runtime.hpp"
#include "nn/initialise.hpp"
#include "nn/train/trainer.hpp"
#include "tests/mpi_test.hpp"

namespace nanoatlas::testing {

using namespace nn;

inline constexpr int side = 16;

/// Pictures of three classes: stripes across, stripes down, and a chessboard; random phase and
/// noise.
inline std::vector<std::uint8_t> draw_pictures(std::int64_t count) {
    std::vector<std::uint8_t> pixels;
    for (std::int64_t n = 0; n < count; ++n) {
        base::Random random(5, n);
        const auto phase = static_cast<int>(random.below(4));
        for (int y = 0; y < side; ++y)
            for (int x = 0; x < side; ++x) {
                const bool across = (y + phase) / 2 % 2 == 0, down = (x + phase) / 2 % 2 == 0;
                const bool bright = n % 3 == 0 ? across : n % 3 == 1 ? down : across != down;
                pixels.push_back(static_cast<std::uint8_t>((bright ? 170 : 60) + random.below(26)));
            }
    }
    return pixels;
}

inline Samples samples_between(std::int64_t first, std::int64_t end) {
    Samples samples;
    for (auto row = first; row < end; ++row) {
        samples.rows.push_back(row);
        samples.labels.push_back(static_cast<std::int32_t>(row % 3));
    }
    return samples;
}

inline Graph course_graph(double dropout) {
    Graph graph({1, side, side});
    auto x = graph.convolution(graph.input(), "conv1", {.channels = 8, .kernel = 3, .padding = 1});
    x = graph.relu(graph.batch_norm(x, "bn1"));
    x = graph.convolution(x, "conv2", {.channels = 16, .kernel = 3, .stride = 2, .padding = 1});
    x = graph.relu(graph.batch_norm(x, "bn2"));
    x = graph.flatten(graph.global_average_pool(x), "pooled");
    graph.set_features(x);
    if (dropout > 0) x = graph.dropout(x, dropout);
    graph.set_output(graph.linear(x, "fc", 3));
    return graph;
}

inline TrainSettings short_course() {
    TrainSettings settings;
    settings.epochs = 4;
    settings.batch = 10;
    settings.rate = 0.01;
    settings.label_smoothing = 0.1;
    settings.seed = 3;
    return settings;
}

/// 48 pictures to learn from and 21 to validate with.
struct Course {
    kernels::kokkos::Runtime& runtime;
    Images images{draw_pictures(69), side, side};
    ImageInputs inputs{images, side, {0.5}, {0.3}, AugmentationSettings{}, 3};
    ImageInputs plain{images, side, {0.5}, {0.3}, std::nullopt, 3};
    TrainingData data{
        .inputs = inputs, .train = samples_between(0, 48), .validation = samples_between(48, 69)};
    TrainSettings settings = short_course();
};

class TrainingCourse : public ::testing::Test {
  protected:
    static void SetUpTestSuite() { runtime_ = std::make_unique<kernels::kokkos::Runtime>(1); }
    static void TearDownTestSuite() { runtime_.reset(); }
    Course course_{.runtime = *runtime_};

  private:
    static inline std::unique_ptr<kernels::kokkos::Runtime> runtime_;
};

/// A network for the course on these ranks, with the same weights each time.
inline Network make_network(const Course& course, const comm::Communicator& comm,
                            const Graph& graph, const std::string& frozen_to = "") {
    const TrainingOrder order(course.data.train.labels, course.settings.order());
    Network network(graph,
                    {.batch = order.most_of_rank(comm.size()),
                     .training = true,
                     .frozen_to = frozen_to,
                     .keep = {}},
                    comm);
    network.load(initial_tensors(graph, 11));
    return network;
}
inline Network make_network(const Course& course, const comm::Communicator& comm,
                            double dropout = 0, const std::string& frozen_to = "") {
    return make_network(course, comm, course_graph(dropout), frozen_to);
}

inline void expect_equal(const TensorMap& a, const TensorMap& b) {
    ASSERT_EQ(a.size(), b.size());
    for (const auto& [name, tensor] : a) EXPECT_EQ(tensor.values, b.at(name).values) << name;
}

}  // namespace nanoatlas::testing
