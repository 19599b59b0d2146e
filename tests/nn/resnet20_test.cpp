// CIFAR's ResNet-20 with its published weights against the published code
// (akamaster/pytorch_resnet_cifar10, resnet.py), run by PyTorch in f64.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "nn/import/import_model.hpp"
#include "nn/network.hpp"
#include "nn/zoo/zoo.hpp"
#include "tests/mpi_test.hpp"
#include "tests/nn/formula.hpp"
#include "tests/shared_data.hpp"

namespace nanoatlas::nn {
namespace {

constexpr const char* weights = "models/resnet20_cifar10/resnet20-12fca82f.th";

TEST(ResNet20, computes_what_its_authors_code_does) {
    NEEDS_SHARED(weights);
    const auto model = import_model(testing::shared_data() / weights,
                                    {.arch = "resnet20_cifar", .size = 32, .grey = false})
                           .model;
    ASSERT_EQ(model.classes.size(), 10U);
    const auto graph = zoo::make(model.arch, {.classes = 10, .size = 32});
    EXPECT_EQ(graph.parameter_count(), 269'722);
    const auto images = testing::formula_values("input", 2 * 3 * 32 * 32, 1, 0);

    Network network(graph, {.batch = 2}, testing::world());
    network.load(model.tensors);
    const std::vector<double> logits = {-6.631056432, -6.197278417, 9.645246530,  4.697590387,
                                        4.234934300,  -5.735686335, 10.345049680, -4.896642812,
                                        -3.859460672, -1.588433130, -3.710085137, -5.613014813,
                                        9.338069952,  3.563913525,  2.123054196,  -5.729570754,
                                        10.754562337, -5.244236781, -3.773134225, -1.699298806};
    const auto found = network.forward(images);
    ASSERT_EQ(found.size(), logits.size());
    constexpr double torch_f32_error = 4.7e-6;
    for (std::size_t i = 0; i < logits.size(); ++i)
        EXPECT_NEAR(found[i], logits[i], 5 * torch_f32_error) << i;

    Network training(graph, {.batch = 2, .training = true}, testing::world());
    training.load(model.tensors);
    const std::vector<std::int32_t> labels = {3, 7};
    EXPECT_NEAR(training.train_step(images, labels, {}, {}).loss, 4.284847042987572, 2e-5);
    const std::map<std::string, double> gradient_norms = {
        {"conv1.weight", 18.20742485551027},
        {"layer1.2.conv2.weight", 16.09355957798762},
        {"layer2.0.conv1.weight", 25.530179742262405},
        {"layer3.0.conv1.weight", 27.372311609583097},
        {"linear.weight", 4.00968743382534}};
    for (const auto& slot : training.slots()) {
        const auto expected = gradient_norms.find(slot.name);
        if (expected == gradient_norms.end()) continue;
        const auto gradient = training.gradients().subspan(static_cast<std::size_t>(slot.offset),
                                                           static_cast<std::size_t>(slot.size));
        const double squares =
            std::inner_product(gradient.begin(), gradient.end(), gradient.begin(), 0.0);
        EXPECT_NEAR(std::sqrt(squares), expected->second, 1e-4 * expected->second) << slot.name;
    }
}

}  // namespace
}  // namespace nanoatlas::nn
