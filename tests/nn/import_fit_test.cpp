// Weights fit a network by name, by name without a prefix, or by order; what does not fit is
// listed.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/check.hpp"
#include "nn/import/fit.hpp"
#include "nn/import/grey.hpp"
#include "nn/import/import_model.hpp"
#include "nn/import/weights.hpp"
#include "nn/zoo/zoo.hpp"
#include "tests/nn/formula.hpp"
#include "tests/shared_data.hpp"

namespace nanoatlas::nn {
namespace {

using testing::formula_tensors;

TensorMap squeezenet(std::int64_t classes = 5) {
    return formula_tensors(zoo::make("squeezenet1_1", {.classes = classes}));
}
TensorMap resnet() {
    return formula_tensors(zoo::make("resnet18", {.classes = 5}));
}

/// A network's tensors without their values, where only names and shapes matter.
TensorMap hollow(const std::string& arch, const zoo::Options& options = {}) {
    const auto graph = zoo::make(arch, options);
    TensorMap tensors;
    for (const auto& specs : {graph.parameters(), graph.buffers()})
        for (const auto& spec : specs) tensors[spec.name] = {.shape = spec.shape, .values = {}};
    return tensors;
}

std::string error_of(const TensorMap& weights, const FitOptions& options) {
    try {
        fit_weights(weights, options);
        return "";
    } catch (const InputError& error) {
        return error.what();
    }
}

TEST(Fit, complete_weights_are_taken_as_they_are) {
    const auto weights = resnet();
    const auto fit = fit_weights(weights, {.arch = "resnet18"});
    EXPECT_EQ(fit.classes, 5);
    EXPECT_EQ(fit.channels, 3);
    EXPECT_TRUE(fit.drawn.empty());
    EXPECT_TRUE(fit.surplus.empty());
    EXPECT_EQ(fit.naming, "");
    ASSERT_EQ(fit.tensors.size(), weights.size());
    for (const auto& [name, tensor] : weights)
        EXPECT_EQ(fit.tensors.at(name).values, tensor.values) << name;
}

TEST(Fit, a_prefix_that_all_names_share_is_dropped) {
    TensorMap wrapped;
    for (const auto& [name, tensor] : resnet()) wrapped.emplace("backbone." + name, tensor);
    EXPECT_EQ(fit_weights(wrapped, {.arch = "resnet18"}).tensors.size(), wrapped.size());
}

/// Gluon's names: convolutions, norms and dense layers are counted each by themselves.
TEST(Fit, foreign_names_are_matched_by_order) {
    const auto graph = zoo::make("resnet18", {.classes = 7, .channels = 1});
    const auto weights = formula_tensors(graph);
    TensorMap foreign;
    std::map<Op, int> counts;
    for (const auto& node : graph.nodes()) {
        const auto kind = node.op == Op::convolution ? "conv"
                          : node.op == Op::linear    ? "dense"
                                                     : "batchnorm";
        const auto name = fmt::format("resnetv10_{}{}_", kind, counts[node.op]);
        bool found = false;
        for (const auto& [ours, theirs] : std::map<std::string, std::string>{
                 {"weight", node.op == Op::batch_norm ? "gamma" : "weight"},
                 {"bias", node.op == Op::batch_norm ? "beta" : "bias"},
                 {"running_mean", "running_mean"},
                 {"running_var", "running_var"}})
            if (const auto tensor = weights.find(node.name + "." + ours); tensor != weights.end()) {
                foreign.emplace(name + theirs, tensor->second);
                found = true;
            }
        counts[node.op] += found ? 1 : 0;
    }
    ASSERT_EQ(foreign.size(), weights.size());
    const auto fit = fit_weights(foreign, {.arch = "resnet18"});
    EXPECT_NE(fit.naming.find("by order"), std::string::npos) << fit.naming;
    for (const auto& [name, tensor] : weights)
        EXPECT_EQ(fit.tensors.at(name).values, tensor.values) << name;
    EXPECT_EQ(fit.classes, 7);
    EXPECT_EQ(fit.channels, 1);
    foreign.begin()->second.shape.push_back(2);
    EXPECT_NE(error_of(foreign, {.arch = "resnet18"}), "");
}

TEST(Fit, other_classes_get_a_new_classifier) {
    const auto weights = squeezenet(5);
    const auto fit = fit_weights(weights, {.arch = "squeezenet1_1", .classes = 3});
    EXPECT_EQ(fit.drawn, (std::vector<std::string>{"classifier.1.weight", "classifier.1.bias"}));
    EXPECT_EQ(fit.tensors.at("classifier.1.weight").shape[0], 3);
    EXPECT_EQ(fit.tensors.at("features.0.weight").values, weights.at("features.0.weight").values);
    EXPECT_TRUE(fit_weights(weights, {.arch = "squeezenet1_1", .classes = 5}).drawn.empty());
}

TEST(Fit, what_is_missing_or_foreign_is_listed) {
    auto weights = resnet();
    weights.erase("layer3.1.bn2.running_var");
    weights.erase("layer1.0.conv1.weight");
    weights["layer9.weight"] = {{1}, {0}};
    const auto error = error_of(weights, {.arch = "resnet18"});
    for (const auto* part :
         {"2 of 102", "layer3.1.bn2.running_var", "layer1.0.conv1.weight", "layer9.weight"})
        EXPECT_NE(error.find(part), std::string::npos) << error;
    const auto fit = fit_weights(weights, {.arch = "resnet18", .partial = true});
    EXPECT_EQ(fit.drawn,
              (std::vector<std::string>{"layer1.0.conv1.weight", "layer3.1.bn2.running_var"}));
    EXPECT_EQ(fit.surplus, std::vector<std::string>{"layer9.weight"});
}

TEST(Fit, weights_of_another_network_are_refused) {
    const auto error = error_of(resnet(), {.arch = "resnet34"});
    EXPECT_NE(error.find("layer1.2.conv1.weight"), std::string::npos) << error;
    EXPECT_NE(error_of(resnet(), {.arch = "squeezenet1_1", .partial = true}), "");
    EXPECT_NE(error_of(resnet(), {.arch = "squeezenet1_1", .classes = 3, .partial = true}), "");
    EXPECT_NE(error_of({{"a", {{1}, {0}}}}, {.arch = "resnet18"}).find("none of the tensors"),
              std::string::npos);
    auto weights = resnet();
    weights.at("layer4.0.conv1.weight").shape = {512, 256, 1, 9};
    EXPECT_NE(error_of(weights, {.arch = "resnet18"}).find("512x256x1x9 instead of 512x256x3x3"),
              std::string::npos);
}

TEST(Fit, the_network_that_the_weights_are_of_is_named) {
    const auto expect_advice = [](const TensorMap& weights, const std::string& arch,
                                  const std::string& right) {
        const auto error = error_of(weights, {.arch = arch});
        EXPECT_NE(error.find("they fit " + right + ", give --arch " + right), std::string::npos)
            << error;
    };
    expect_advice(hollow("resnet18"), "resnet34", "resnet18");
    expect_advice(hollow("resnet50", {.classes = 3}), "resnet18", "resnet50");
    expect_advice(hollow("squeezenet1_1", {.channels = 1}), "alexnet", "squeezenet1_1");
    // The smaller network's names and shapes are all among those of the larger one.
    expect_advice(hollow("resnet34"), "resnet18", "resnet34");
    TensorMap wrapped;
    for (const auto& [name, tensor] : hollow("resnet34")) wrapped["model." + name] = tensor;
    expect_advice(wrapped, "resnet18", "resnet34");
    wrapped["criterion.weight"] = {{1}, {}};
    const auto fit = fit_weights(wrapped, {.arch = "resnet34"});
    EXPECT_EQ(fit.surplus, std::vector<std::string>{"criterion.weight"});
    EXPECT_EQ(fit.naming, "names behind 'model.'");
}

TEST(Fit, inception_without_its_auxiliary_head_is_complete) {
    const std::string arch = "inception_v3";
    auto weights = hollow(arch);
    EXPECT_TRUE(fit_weights(weights, {.arch = arch}).auxiliary.empty());
    std::vector<std::string> auxiliary;
    for (const auto& [name, tensor] : hollow(arch))
        if (name.starts_with("AuxLogits.")) auxiliary.push_back(name), weights.erase(name);
    auto fit = fit_weights(weights, {.arch = arch});
    EXPECT_TRUE(fit.drawn.empty());
    std::ranges::sort(fit.auxiliary);
    EXPECT_EQ(fit.auxiliary, auxiliary);
    EXPECT_EQ(fit.tensors.size(), hollow(arch).size());
    // Smaller images leave no room for the head: it is of no use.
    fit = fit_weights(hollow(arch), {.arch = arch, .size = 224});
    EXPECT_EQ(fit.surplus, auxiliary);
    // Other classes concern both heads.
    fit = fit_weights(hollow(arch), {.arch = arch, .classes = 3});
    EXPECT_EQ(fit.drawn, (std::vector<std::string>{"AuxLogits.fc.weight", "AuxLogits.fc.bias",
                                                   "fc.weight", "fc.bias"}));
}

TEST(Fit, norms_that_an_export_folded_are_recognised) {
    const auto is_recognised = [](const TensorMap& weights) {
        return error_of(weights, {.arch = "resnet18"}).find("without folding norms") !=
               std::string::npos;
    };
    auto weights = hollow("resnet18");
    for (const auto& [name, tensor] : hollow("resnet18"))
        if (name.find("bn") != std::string::npos || name.find("downsample.1") != std::string::npos)
            weights.erase(name);
    EXPECT_TRUE(is_recognised(weights));
    auto renamed = weights.extract("conv1.weight");
    EXPECT_FALSE(is_recognised(weights));
    renamed.key() = "onnx::Conv_193";
    weights.insert(std::move(renamed));
    EXPECT_TRUE(is_recognised(weights));
}

TEST(Fit, classifiers_that_no_network_has_are_refused) {
    auto weights = hollow("resnet18", {.classes = 5});
    weights.at("fc.bias").shape = {4};
    EXPECT_NE(error_of(weights, {.arch = "resnet18"}).find("fc.bias is 4 instead of 5"),
              std::string::npos);
    weights.erase("fc.bias");
    weights.at("fc.weight").shape = {std::int64_t{1} << 33, 0};
    EXPECT_NE(error_of(weights, {.arch = "resnet18", .partial = true}).find("8589934592 classes"),
              std::string::npos);
    weights.at("fc.weight").shape = {0, 512};
    EXPECT_NE(error_of(weights, {.arch = "resnet18", .partial = true}).find("instead of 1000x512"),
              std::string::npos);
}

TEST(Grey, folding_keeps_what_the_stem_computes_inside_the_image) {
    for (const std::string arch : {"squeezenet1_1", "resnet18"}) {
        const auto stem = zoo::ends(arch).stem;
        ModelFile model{.arch = arch,
                        .classes = {"a", "b"},
                        .mean = {0.485, 0.456, 0.406},
                        .std = {0.229, 0.224, 0.225},
                        .size = 64,
                        .tensors = formula_tensors(zoo::make(arch, {.classes = 2, .size = 64}))};
        const auto colour = model;
        fold_to_grey(model);
        ASSERT_TRUE(model.is_grey());
        const auto& weight = colour.tensors.at(stem + ".weight");
        const auto& grey = model.tensors.at(stem + ".weight");
        const auto kernel = static_cast<std::size_t>(weight.shape[2] * weight.shape[3]);
        const auto shift = [&](const ModelFile& m, std::size_t k) {
            return arch == "resnet18" ? -m.tensors.at("bn1.running_mean").values[k]
                                      : m.tensors.at(stem + ".bias").values[k];
        };
        for (std::size_t k = 0; k < static_cast<std::size_t>(weight.shape[0]); ++k) {
            double expected = shift(colour, k), found = shift(model, k);
            for (std::size_t p = 0; p < kernel; ++p) {
                const double x = 0.5 + 0.5 * testing::formula_value("pixel", p);
                for (std::size_t c = 0; c < 3; ++c)
                    expected += weight.values[(k * 3 + c) * kernel + p] * (x - colour.mean[c]) /
                                colour.std[c];
                found += grey.values[k * kernel + p] * (x - model.mean[0]) / model.std[0];
            }
            EXPECT_NEAR(found, expected, 2e-5) << arch << " output " << k;
        }
    }
}

TEST(SharedWeights, all_formats_hold_the_formula) {
    NEEDS_SHARED("models/formats");
    const auto folder = testing::shared_data() / "models/formats";
    const auto expected = formula_tensors(zoo::make("squeezenet1_1", {}));
    for (const auto* file : {"squeezenet1_1_formula.pth", "squeezenet1_1_formula.safetensors"}) {
        const auto tensors = read_weights(folder / file);
        ASSERT_EQ(tensors.size(), expected.size());
        for (const auto& [name, tensor] : expected)
            EXPECT_EQ(tensors.at(name).values, tensor.values) << name;
    }
    const auto half = read_weights(folder / "resnet18_to_layer2_formula_half_ddp.pth");
    const auto resnet18 = formula_tensors(zoo::make("resnet18", {}));
    EXPECT_EQ(half.size(), 50U);
    for (const auto& [name, tensor] : half) {
        const auto& wanted = resnet18.at(name);
        ASSERT_EQ(tensor.shape, wanted.shape) << name;
        for (std::size_t i = 0; i < wanted.values.size(); ++i)
            ASSERT_NEAR(tensor.values[i], wanted.values[i],
                        1e-3 * std::abs(wanted.values[i]) + 1e-7)
                << name;
    }
}

}  // namespace
}  // namespace nanoatlas::nn
