// The zoo's networks have the tensors and shapes that others publish weights for.
#include "nn/zoo/zoo.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/check.hpp"
#include "nn/import/weights.hpp"
#include "tests/shared_data.hpp"

namespace nanoatlas::nn {
namespace {

std::map<std::string, std::vector<std::int64_t>> shapes_of(const Graph& graph) {
    std::map<std::string, std::vector<std::int64_t>> shapes;
    for (const auto& specs : {graph.parameters(), graph.buffers()})
        for (const auto& spec : specs) shapes[spec.name] = spec.shape;
    return shapes;
}

/// Parameters with 1000 classes and colour, as published with the papers' code.
TEST(Zoo, networks_have_the_published_number_of_parameters) {
    const std::map<std::string, std::int64_t> published = {
        {"alexnet", 61'100'840},           {"convnext_tiny", 28'589'128},
        {"densenet121", 7'978'856},        {"densenet169", 14'149'480},
        {"densenet201", 20'013'928},       {"efficientnet_lite0", 4'652'008},
        {"efficientnet_lite1", 5'416'680}, {"efficientnet_lite2", 6'092'072},
        {"inception_v3", 27'161'264},      {"mobilenet_v2", 3'504'872},
        {"resnet18", 11'689'512},          {"resnet20_cifar", 334'072},
        {"resnet34", 21'797'672},          {"resnet50", 25'557'032},
        {"resnet101", 44'549'160},         {"resnet152", 60'192'808},
        {"squeezenet1_1", 1'235'496},      {"vgg11", 132'863'336}};
    for (const auto& name : zoo::names()) {
        ASSERT_TRUE(published.contains(name)) << name;
        EXPECT_EQ(zoo::make(name, {}).parameter_count(), published.at(name)) << name;
    }
}

TEST(Zoo, tensors_are_torchvisions) {
    NEEDS_SHARED("oracles/nn");
    for (const auto& name : zoo::names()) {
        const auto path = testing::shared_data() / "oracles/nn" / (name + ".json");
        if (!std::filesystem::exists(path)) continue;
        std::map<std::string, std::vector<std::int64_t>> expected;
        const auto oracle = nlohmann::json::parse(std::ifstream(path));
        for (const auto& [tensor, shape] : oracle.at("tensors").items())
            if (!tensor.ends_with("num_batches_tracked"))
                expected[tensor] = shape.get<std::vector<std::int64_t>>();
        EXPECT_EQ(shapes_of(zoo::make(name, {})), expected) << name;
    }
}

TEST(Zoo, efficientnet_lite0_takes_the_published_weights) {
    const std::string path = std::string(NANOATLAS_WEIGHTS) + "/efficientnet_lite0.pth";
    if (!std::filesystem::exists(path)) GTEST_SKIP() << "skipped: " << path << " is absent";
    std::map<std::string, std::vector<std::int64_t>> found;
    for (const auto& [name, tensor] : read_weights(path)) found[name] = tensor.shape;
    EXPECT_EQ(shapes_of(zoo::make("efficientnet_lite0", {})), found);
}

TEST(Zoo, classes_channels_and_size_show_in_the_graph) {
    for (const auto& name : zoo::names())
        for (const std::int64_t size : {96, 224, 255}) {
            const auto graph = zoo::make(name, {.classes = 7, .channels = 1, .size = size});
            const auto ends = zoo::ends(name);
            EXPECT_EQ(graph.shape(graph.output()), (Shape{7, 1, 1})) << name;
            EXPECT_EQ(shapes_of(graph).at(ends.stem + ".weight")[1], 1) << name;
            EXPECT_EQ(shapes_of(graph).at(ends.classifier + ".weight")[0], 7) << name;
            EXPECT_EQ(graph.shape(graph.features()).pixels(), 1) << name;
        }
}

/// lite1 and lite2 by the coefficients of Tan's code: the stem, the head and the depths of the
/// first and the last stage stay.
TEST(Zoo, efficientnet_lite_grows_in_width_and_depth) {
    const auto blocks = [](const std::string& name) {
        const auto graph = zoo::make(name, {});
        int count = 0;
        while (graph.has(fmt::format("_blocks.{}", count))) ++count;
        return count;
    };
    EXPECT_EQ(blocks("efficientnet_lite0"), 16);
    EXPECT_EQ(blocks("efficientnet_lite1"), 21);
    EXPECT_EQ(blocks("efficientnet_lite2"), 21);
    const auto shapes = shapes_of(zoo::make("efficientnet_lite2", {}));
    EXPECT_EQ(shapes.at("_conv_stem.weight")[0], 32);
    EXPECT_EQ(shapes.at("_blocks.0._project_conv.weight")[0], 16);
    EXPECT_EQ(shapes.at("_blocks.1._project_conv.weight")[0], 24);
    EXPECT_EQ(shapes.at("_blocks.20._project_conv.weight")[0], 352);
    EXPECT_EQ(shapes.at("_conv_head.weight")[0], 1280);
}

TEST(Zoo, inception_s_auxiliary_output_needs_images_as_published) {
    EXPECT_EQ(zoo::published_size("inception_v3"), 299);
    const auto whole = zoo::make("inception_v3", {});
    ASSERT_TRUE(whole.auxiliary());
    EXPECT_EQ(whole.auxiliary()->weight, 0.4);
    EXPECT_EQ(whole.node(whole.auxiliary()->logits).name, zoo::ends("inception_v3").auxiliary);
    EXPECT_FALSE(zoo::make("inception_v3", {.size = 224}).auxiliary());
    EXPECT_THROW(zoo::make("inception_v3", {.size = 74}), InputError);
}

TEST(Zoo, classifiers_are_what_depends_on_the_classes) {
    for (const auto& name : zoo::names()) {
        const auto few = shapes_of(zoo::make(name, {.classes = 2})),
                   many = shapes_of(zoo::make(name, {.classes = 3}));
        const auto ends = zoo::ends(name);
        for (const auto& [tensor, shape] : few)
            EXPECT_EQ(shape != many.at(tensor), ends.is_classifier(tensor)) << name << tensor;
    }
}

TEST(Zoo, dropout_can_be_left_out) {
    const auto dropouts = [](const std::string& name, bool on) {
        const auto graph = zoo::make(name, {.dropout = on});
        return std::ranges::count(graph.nodes(), Op::dropout, &Node::op) +
               std::ranges::count(graph.nodes(), Op::stochastic_depth, &Node::op);
    };
    EXPECT_EQ(dropouts("alexnet", true), 2);
    EXPECT_EQ(dropouts("squeezenet1_1", true), 1);
    EXPECT_EQ(dropouts("convnext_tiny", true), 18);
    EXPECT_EQ(dropouts("inception_v3", true), 1);
    EXPECT_EQ(dropouts("efficientnet_lite0", true), 1);
    for (const auto& name : zoo::names()) EXPECT_EQ(dropouts(name, false), 0) << name;
}

TEST(Zoo, mistakes_are_named) {
    EXPECT_THROW(zoo::make("resnet17", {}), InputError);
    EXPECT_THROW(zoo::make("resnet18", {.classes = 0}), InputError);
    EXPECT_THROW(zoo::make("resnet18", {.size = -1}), InputError);
    EXPECT_THROW(zoo::make("alexnet", {.size = 16}), InputError);
}

}  // namespace
}  // namespace nanoatlas::nn
