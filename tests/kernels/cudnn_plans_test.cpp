// Plans of cuDNN's heuristics for a GPU that is not here: an H100, described. They are made as on
// the device, but for those that cuDNN compiles at run time, which need its driver.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "kernels/cudnn/cudnn.hpp"
#include "kernels/cudnn/plan.hpp"
#include "nn/convolution_tensors.hpp"
#include "nn/zoo/zoo.hpp"

namespace nanoatlas::kernels::cudnn {
namespace {

const char* const h100 = R"({
  "deviceName": "NVIDIA H100 80GB HBM3", "cudaDeviceId": 0, "deviceVer": 900, "driverVer": 13000,
  "maxGridSize": [2147483647, 65535, 65535], "maxBlockSize": [1024, 1024, 64],
  "regsPerBlock": 65536, "multiProcessorCount": 132, "smClockRateKHz": 1980000,
  "memClockRateKHz": 2619000, "l2CacheSize": 52428800, "warpSize": 32,
  "maxSharedMemoryPerBlock": 49152, "maxSharedMemoryPerBlockOptin": 232448,
  "reservedSharedMemoryPerBlock": 1024, "maxRegistersPerSM": 65536, "pciDeviceId": 0,
  "maxCtasPerSM": 32, "maxThreadsPerBlock": 1024, "maxThreadsPerSM": 2048, "isTccDriver": 0,
  "supportCoopLaunch": 1, "totalGlobalMem": 85000000000
})";

constexpr std::int64_t limit = std::int64_t{1} << 30;

const Target& target() {
    static const Target described{std::string(h100)};
    return described;
}

/// The convolutions and linear layers of a network.
std::vector<ConvolutionShape> convolutions(const nn::Graph& graph, std::int64_t samples) {
    const auto image = [samples](const nn::Shape& shape) {
        return ImageShape{samples, shape.height, shape.width, shape.channels};
    };
    std::vector<ConvolutionShape> found;
    for (const auto& node : graph.nodes()) {
        if (node.op != nn::Op::convolution && node.op != nn::Op::linear) continue;
        const auto& from = graph.nodes()[static_cast<std::size_t>(node.inputs[0])];
        ConvolutionShape shape{
            .input = image(from.shape), .output = image(node.shape), .window = {}};
        if (const auto* options = std::get_if<nn::Convolution>(&node.attributes)) {
            shape.window = nn::window_of(*options);
            shape.groups = options->groups;
        } else {
            shape.window.height = from.shape.height;
            shape.window.width = from.shape.width;
        }
        const auto flat = flattened(shape);
        if (std::ranges::find(found, flat) == found.end()) found.push_back(flat);
    }
    return found;
}

std::string text(const PlanRequest& request) {
    const auto& shape = request.shape;
    std::string words = "pass " + std::to_string(static_cast<int>(request.pass));
    for (const auto number : {shape.input.height, shape.input.width, shape.input.channels,
                              shape.output.channels, shape.window.height, shape.groups})
        words += " " + std::to_string(number);
    return words;
}

class Plans : public ::testing::TestWithParam<std::string> {};

TEST_P(Plans, are_there_for_every_convolution_of_the_network) {
    const auto graph = nn::zoo::make(GetParam(), {.channels = 1});
    for (const auto& shape : convolutions(graph, 32))
        for (const auto precision : {Precision::f32, Precision::bf16})
            for (const auto pass : {Pass::forward, Pass::backward_data, Pass::backward_weights}) {
                const PlanRequest request{shape, precision, pass, false};
                const auto plan = find_plan(request, limit, target());
                ASSERT_NE(plan, nullptr) << text(request);
                EXPECT_LE(plan->workspace_bytes(), limit);
            }
}

INSTANTIATE_TEST_SUITE_P(Networks, Plans, ::testing::ValuesIn(nn::zoo::names()),
                         [](const auto& parameter) { return parameter.param; });

TEST(Plan, in_f32_has_a_fused_form) {
    PlanRequest request{.shape = {.input = {32, 13, 13, 64},
                                  .output = {32, 13, 13, 96},
                                  .window = {3, 3, 1, 1, 1, 1, 1, 1},
                                  .bias = true,
                                  .activation = Activation::relu},
                        .precision = Precision::f32,
                        .pass = Pass::forward,
                        .epilogue = true};
    EXPECT_NE(find_plan(request, limit, target()), nullptr);
}

TEST(Plan, keeps_to_the_limit_of_workspace) {
    const PlanRequest request{.shape = {.input = {64, 56, 56, 64},
                                        .output = {64, 56, 56, 64},
                                        .window = {3, 3, 1, 1, 1, 1, 1, 1}},
                              .precision = Precision::f32,
                              .pass = Pass::forward,
                              .epilogue = false};
    const auto plan = find_plan(request, 1 << 20, target());
    ASSERT_NE(plan, nullptr);
    EXPECT_LE(plan->workspace_bytes(), 1 << 20);
}

TEST(Plan, of_shapes_that_do_not_fit_together_is_an_error) {
    const PlanRequest request{
        .shape = {.input = {1, 4, 4, 3}, .output = {1, 9, 9, 5}, .window = {}},
        .precision = Precision::f32,
        .pass = Pass::forward,
        .epilogue = false};
    EXPECT_THROW(find_plan(request, limit, target()), DeviceError);
}

TEST(Plan, damaged_properties_are_refused) {
    EXPECT_THROW(Target{std::string("{}")}, DeviceError);
}

TEST(Device, that_is_not_there_is_an_error_that_says_so) {
    if (device_count() > 0) GTEST_SKIP() << "there is a GPU";
    try {
        make_backend(Precision::bf16);
        FAIL() << "a back end without a GPU";
    } catch (const DeviceError& error) {
        EXPECT_NE(std::string(error.what()).find("no NVIDIA GPU"), std::string::npos);
    }
}

}  // namespace
}  // namespace nanoatlas::kernels::cudnn
