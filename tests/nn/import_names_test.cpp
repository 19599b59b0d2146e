// Each tensor of a network is found under the names that others give it.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>

#include "nn/import/conventions.hpp"
#include "nn/import/fit.hpp"
#include "nn/import/names.hpp"
#include "nn/zoo/zoo.hpp"
#include "tests/nn/formula.hpp"

namespace nanoatlas::nn {
namespace {

using Names = std::map<std::string, std::string>;  // theirs by ours
using Layers = std::vector<std::string>;

std::vector<TensorSpec> specs_of(const std::string& arch) {
    const auto graph = zoo::make(arch, {});
    auto specs = graph.parameters();
    for (const auto& spec : graph.buffers()) specs.push_back(spec);
    return specs;
}

/// A tensor's name cut into its layer's and what the tensor is of it; a layer scale is both.
std::pair<std::string, std::string> cut(const std::string& name) {
    for (const std::string role : {".weight", ".bias", ".running_mean", ".running_var"})
        if (name.ends_with(role)) return {name.substr(0, name.size() - role.size()), role};
    return {name, ""};
}

/// Pairs a network's layers with others' names for them, both in the order of computation.
Names pair_layers(const std::vector<TensorSpec>& specs, const Layers& theirs) {
    std::map<std::string, std::string> layers;
    Names names;
    for (const auto& spec : specs) {
        const auto [layer, role] = cut(spec.name);
        if (!layers.contains(layer)) layers.emplace(layer, theirs.at(layers.size()));
        names[spec.name] = layers.at(layer) + role;
    }
    EXPECT_EQ(layers.size(), theirs.size());
    return names;
}

/// What a file with these names and the network's shapes is translated to.
Translation translate(const std::string& arch, const Names& names, const std::string& prefix = "",
                      const Layers& others = {}) {
    TensorMap weights;
    for (const auto& spec : specs_of(arch))
        weights[prefix + names.at(spec.name)] = {.shape = spec.shape, .values = {}};
    for (const auto& name : others) weights[name] = {};
    return translate_by_name(weights, arch, specs_of(arch));
}

/// timm's mobile networks: stages of inverted bottlenecks, the first of which does not widen.
Layers timm_mobile(const std::vector<int>& depths) {
    Layers layers = {"conv_stem",          "bn1",           "blocks.0.0.conv_dw", "blocks.0.0.bn1",
                     "blocks.0.0.conv_pw", "blocks.0.0.bn2"};
    for (std::size_t stage = 1; stage < depths.size(); ++stage)
        for (int block = 0; block < depths[stage]; ++block)
            for (const auto* layer : {"conv_pw", "bn1", "conv_dw", "bn2", "conv_pwl", "bn3"})
                layers.push_back(fmt::format("blocks.{}.{}.{}", stage, block, layer));
    for (const auto* layer : {"conv_head", "bn2", "classifier"}) layers.emplace_back(layer);
    return layers;
}

/// ConvNeXt as its authors and as timm name it.
struct ConvNextNames {
    Layers ends[2];     ///< before and behind the stages
    Layers between[4];  ///< before each stage
    const char* block;
    Layers inside;
};

Layers convnext(const ConvNextNames& names) {
    constexpr int depths[] = {3, 3, 9, 3};
    auto layers = names.ends[0];
    for (int stage = 0; stage < 4; ++stage) {
        for (const auto& layer : names.between[stage]) layers.push_back(layer);
        for (int i = 0; i < depths[stage]; ++i)
            for (const auto& layer : names.inside)
                layers.push_back(fmt::format(fmt::runtime(names.block), stage, i) + layer);
    }
    for (const auto& layer : names.ends[1]) layers.push_back(layer);
    return layers;
}

struct Case {
    std::string arch, convention;
    Layers layers;
};

std::vector<Case> cases() {
    const std::vector<int> larger = {1, 3, 3, 4, 4, 5, 1};
    const ConvNextNames timm = {{{"stem.0", "stem.1"}, {"head.norm", "head.fc"}},
                                {{},
                                 {"stages.1.downsample.0", "stages.1.downsample.1"},
                                 {"stages.2.downsample.0", "stages.2.downsample.1"},
                                 {"stages.3.downsample.0", "stages.3.downsample.1"}},
                                "stages.{}.blocks.{}.",
                                {"conv_dw", "norm", "mlp.fc1", "mlp.fc2", "gamma"}};
    const ConvNextNames authors = {
        {{"downsample_layers.0.0", "downsample_layers.0.1"}, {"norm", "head"}},
        {{},
         {"downsample_layers.1.0", "downsample_layers.1.1"},
         {"downsample_layers.2.0", "downsample_layers.2.1"},
         {"downsample_layers.3.0", "downsample_layers.3.1"}},
        "stages.{}.{}.",
        {"dwconv", "norm", "pwconv1", "pwconv2", "gamma"}};
    return {
        {"efficientnet_lite0", "timm", timm_mobile({1, 2, 2, 3, 3, 4, 1})},
        {"efficientnet_lite1", "timm", timm_mobile(larger)},
        {"efficientnet_lite2", "timm", timm_mobile(larger)},
        {"mobilenet_v2", "timm", timm_mobile({1, 2, 3, 4, 3, 3, 1})},
        {"vgg11",
         "timm",
         {"features.0", "features.3", "features.6", "features.8", "features.11", "features.13",
          "features.16", "features.18", "pre_logits.fc1", "pre_logits.fc2", "head.fc"}},
        {"convnext_tiny", "timm", convnext(timm)},
        {"convnext_tiny", "its authors", convnext(authors)},
    };
}

TEST(Names, of_known_conventions_are_translated) {
    for (const auto& [arch, convention, layers] : cases()) {
        const auto expected = pair_layers(specs_of(arch), layers);
        const auto found = translate(arch, expected);
        EXPECT_EQ(found.theirs, expected) << arch;
        EXPECT_EQ(found.convention, convention) << arch;
        EXPECT_EQ(found.prefix, "") << arch;
    }
}

/// Such as "features.denseblock1.denselayer2.norm.1.weight".
TEST(Names, of_old_densenets_are_translated) {
    for (const std::string arch : {"densenet121", "densenet169", "densenet201"}) {
        Names expected;
        for (const auto& spec : specs_of(arch)) {
            auto& name = expected[spec.name] = spec.name;
            if (const auto layer = name.find("denselayer"); layer != std::string::npos)
                for (const std::string kind : {"norm", "conv"})
                    if (const auto place = name.find("." + kind, layer); place != std::string::npos)
                        name.insert(place + 1 + kind.size(), ".");
        }
        ASSERT_TRUE(expected.contains("features.denseblock1.denselayer2.norm1.weight"));
        const auto found = translate(arch, expected);
        EXPECT_EQ(found.theirs, expected) << arch;
        EXPECT_EQ(found.convention, "torchvision before 0.3");
    }
}

TEST(Names, behind_a_prefix_are_found_among_others) {
    for (const auto& arch : zoo::names()) {
        Names own, prefixed;
        for (const auto& spec : specs_of(arch)) {
            own[spec.name] = spec.name;
            prefixed[spec.name] = "student.backbone." + spec.name;
        }
        const auto found = translate(arch, own);
        EXPECT_EQ(found.theirs, own) << arch;
        EXPECT_EQ(found.convention, "") << arch;
        const auto behind = translate(arch, own, "student.backbone.",
                                      {"teacher.backbone." + own.begin()->first, "loss.weight"});
        EXPECT_EQ(behind.theirs, prefixed) << arch;
        EXPECT_EQ(behind.prefix, "student.backbone.") << arch;
    }
    auto expected = pair_layers(specs_of("efficientnet_lite0"), cases().front().layers);
    const auto found = translate("efficientnet_lite0", expected, "model.", {"blocks.0.0.x"});
    for (auto& [ours, theirs] : expected) theirs.insert(0, "model.");
    EXPECT_EQ(found.theirs, expected);
    EXPECT_EQ(found.prefix, "model.");
}

TEST(Names, of_nothing_known_are_left_alone) {
    for (const auto& arch : zoo::names()) {
        EXPECT_TRUE(translate_by_name({}, arch, specs_of(arch)).theirs.empty());
        const TensorMap foreign = {{"a", {}},
                                   {"a.b.c.d.e", {}},
                                   {"...", {}},
                                   {"", {}},
                                   {"blocks.", {}},
                                   {"blocks.0.", {}},
                                   {"blocks.99999999999.1.x", {}},
                                   {"blocks.-1.0.conv", {}},
                                   {".gamma", {}}};
        EXPECT_TRUE(translate_by_name(foreign, arch, specs_of(arch)).theirs.empty()) << arch;
    }
}

TEST(Names, weights_of_timm_fit_with_their_values) {
    const std::string arch = "efficientnet_lite0";
    const auto names = pair_layers(specs_of(arch), cases().front().layers);
    const auto expected = testing::formula_tensors(zoo::make(arch, {.classes = 4}));
    TensorMap weights;
    for (const auto& [ours, theirs] : names) weights[theirs] = expected.at(ours);
    const auto fit = fit_weights(weights, {.arch = arch});
    EXPECT_EQ(fit.classes, 4);
    EXPECT_EQ(fit.naming, "names of timm");
    for (const auto& [name, tensor] : expected)
        EXPECT_EQ(fit.tensors.at(name).values, tensor.values) << name;
}

TEST(Layers, with_the_same_numbers_are_recognised) {
    EXPECT_TRUE(is_same_layer({96}, {96, 1, 1}));
    EXPECT_TRUE(is_same_layer({1000, 512, 1, 1}, {1000, 512}));
    EXPECT_TRUE(is_same_layer({4096, 512, 7, 7}, {4096, 25088}));
    EXPECT_TRUE(is_same_layer({4096, 25088}, {4096, 512, 7, 7}));
    EXPECT_FALSE(is_same_layer({512, 256, 1, 9}, {512, 256, 3, 3}));
    EXPECT_FALSE(is_same_layer({64, 3}, {3, 64}));
    EXPECT_FALSE(is_same_layer({64}, {64, 1, 3}));
    EXPECT_FALSE(is_same_layer({2, 6}, {3, 4}));
}

}  // namespace
}  // namespace nanoatlas::nn
