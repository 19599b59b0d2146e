#include "nn/train/layer_blocks.hpp"

#include <gtest/gtest.h>

#include "nn/zoo/zoo.hpp"

namespace nanoatlas::nn {
namespace {

Graph network(const std::string& name) {
    return zoo::make(name, {.classes = 10, .channels = 1, .size = 224});
}

std::vector<std::string> names_of(const std::vector<LayerBlock>& blocks) {
    std::vector<std::string> names;
    for (const auto& block : blocks) names.push_back(block.name);
    return names;
}

TEST(LayerBlocks, are_the_stages_that_people_know) {
    EXPECT_EQ(names_of(layer_blocks(network("resnet18"))),
              (std::vector<std::string>{"conv1", "layer1", "layer2", "layer3", "layer4", "fc"}));
    const auto lite = names_of(layer_blocks(network("efficientnet_lite0")));
    ASSERT_EQ(lite.size(), 19U);
    EXPECT_EQ(lite[0], "_conv_stem");
    EXPECT_EQ(lite[1], "_blocks.0");
    EXPECT_EQ(lite[16], "_blocks.15");
    EXPECT_EQ(lite[17], "_conv_head");
    EXPECT_EQ(lite[18], "_fc");
    const auto squeeze = names_of(layer_blocks(network("squeezenet1_1")));
    EXPECT_EQ(squeeze.front(), "features.0");
    EXPECT_EQ(squeeze.back(), "classifier.1");
    EXPECT_EQ(squeeze.size(), 10U);
    EXPECT_EQ(names_of(layer_blocks(network("alexnet"))).size(), 8U);
}

/// Frozen up to a block's input, exactly the parameters of the blocks before it stay.
TEST(LayerBlocks, are_cut_off_by_their_inputs_in_every_network) {
    for (const auto& name : zoo::names()) {
        const auto graph = zoo::make(name, {.classes = 3, .channels = 1, .size = 299});
        const auto blocks = layer_blocks(graph);
        const auto behind = blocks_behind(graph);
        const auto needed = graph.ancestors(graph.output());
        ASSERT_GE(blocks.size(), 3U) << name;
        EXPECT_EQ(blocks.front().input, "") << name;
        EXPECT_EQ(blocks.back().name, zoo::ends(name).classifier) << name;
        for (std::size_t i = 1; i < blocks.size(); ++i) {
            const auto before = graph.ancestors(graph.find(blocks[i].input));
            for (const auto& parameter : graph.parameters()) {
                const auto node = static_cast<std::size_t>(parameter.node);
                if (!needed[node]) continue;
                EXPECT_EQ(before[node], parameter.node < blocks[i].first)
                    << name << " " << blocks[i].name << " " << parameter.name;
                EXPECT_EQ(before[node],
                          behind.at(parameter.name) >= static_cast<std::int64_t>(blocks.size() - i))
                    << name << " " << blocks[i].name << " " << parameter.name;
            }
        }
    }
}

TEST(LayerBlocks, are_released_from_the_head_on) {
    const auto phases = unfreezing_phases(network("resnet18"), 2);
    ASSERT_EQ(phases.size(), 6U);
    EXPECT_EQ(phases[0].first_epoch, 0);
    EXPECT_EQ(phases[0].frozen_to, "flatten");
    EXPECT_EQ(phases[1].first_epoch, 2);
    EXPECT_EQ(phases[5].first_epoch, 10);
    EXPECT_EQ(phases[5].frozen_to, "");
}

}  // namespace
}  // namespace nanoatlas::nn
