// Each family of the zoo computes the same on the fast back end as on the plain reference.
#include <gtest/gtest.h>

#include "nn/initialise.hpp"
#include "nn/network.hpp"
#include "nn/zoo/zoo.hpp"
#include "tests/mpi_test.hpp"
#include "tests/nn/formula.hpp"

namespace nanoatlas::nn {
namespace {

using testing::world;

class ZooNetwork : public ::testing::TestWithParam<std::string> {};

TEST_P(ZooNetwork, fast_back_end_agrees_with_reference) {
    constexpr std::int64_t samples = 1;
    const std::int64_t size = GetParam() == "inception_v3" ? 75 : 65;  // the least it can do with
    const zoo::Options options{.classes = 5, .channels = 1, .size = size};
    const auto graph = zoo::make(GetParam(), options);
    const auto weights = initial_tensors(graph, 7);
    const auto images =
        testing::formula_values("input", samples * options.size * options.size, 1, 0);
    const auto logits = [&](BackendKind backend) {
        Network network(graph, {.batch = samples, .backend = backend}, world());
        network.load(weights);
        const auto found = network.forward(images);
        return std::vector<float>(found.begin(), found.end());
    };
    const auto fast = logits(BackendKind::onednn), plain = logits(BackendKind::reference);
    ASSERT_EQ(fast.size(), static_cast<std::size_t>(samples * options.classes));
    double largest = 0;
    for (const float value : plain) largest = std::max<double>(largest, std::abs(value));
    EXPECT_GT(largest, 0);
    for (std::size_t i = 0; i < plain.size(); ++i)
        EXPECT_NEAR(fast[i], plain[i], 1e-4 * largest) << GetParam() << " output " << i;
}

INSTANTIATE_TEST_SUITE_P(All, ZooNetwork,
                         ::testing::Values("alexnet", "convnext_tiny", "densenet121",
                                           "efficientnet_lite0", "inception_v3", "mobilenet_v2",
                                           "resnet18", "resnet50", "squeezenet1_1"),
                         [](const auto& parameter) { return parameter.param; });

}  // namespace
}  // namespace nanoatlas::nn
