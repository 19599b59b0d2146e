// Graphs: shapes, names, parameters; and what compiling makes of them before a back end comes in.
#include "nn/graph.hpp"

#include <gtest/gtest.h>

#include <set>

#include "base/check.hpp"
#include "nn/arena.hpp"
#include "nn/fusion.hpp"
#include "nn/initialise.hpp"
#include "tests/nn/small_graph.hpp"

namespace nanoatlas::testing {
namespace {

using namespace nn;

TEST(Graph, infers_shapes_as_torch_does) {
    Graph graph({3, 224, 200});
    const auto stem = graph.convolution(graph.input(), "stem",
                                        {.channels = 64, .kernel = 7, .stride = 2, .padding = 3});
    EXPECT_EQ(graph.shape(stem), (Shape{64, 112, 100}));
    const auto dilated =
        graph.convolution(stem, "dilated", {.channels = 8, .kernel = {3, 1}, .dilation = 2});
    EXPECT_EQ(graph.shape(dilated), (Shape{8, 108, 100}));
    EXPECT_EQ(graph.shape(graph.max_pool(stem, {.kernel = 3, .stride = 2})), (Shape{64, 55, 49}));
    EXPECT_EQ(graph.shape(graph.max_pool(stem, {.kernel = 3, .stride = 2, .ceil_mode = true})),
              (Shape{64, 56, 50}));
    // torch: the last window must begin inside the image or the padding before it.
    EXPECT_EQ(graph.shape(graph.max_pool(
                  stem, {.kernel = 1, .stride = 3, .padding = 0, .ceil_mode = true})),
              (Shape{64, 38, 34}));
    EXPECT_EQ(graph.shape(graph.flatten(stem)), (Shape{64 * 112 * 100, 1, 1}));
    EXPECT_EQ(graph.shape(graph.concat({stem, stem})), (Shape{128, 112, 100}));
    EXPECT_EQ(graph.shape(graph.pad_channels(stem, {.before = 1, .behind = 2})),
              (Shape{67, 112, 100}));
}

TEST(Graph, pads_to_the_same_size_as_tensorflow_does) {
    Graph graph({1, 224, 225});
    const auto padding = graph.same_padding(graph.input(), 3, 2);
    EXPECT_EQ(padding.top, 0);
    EXPECT_EQ(padding.bottom, 1);
    EXPECT_EQ(padding.left, 1);
    EXPECT_EQ(padding.right, 1);
    const auto same = graph.convolution(
        graph.input(), "same", {.channels = 2, .kernel = 3, .stride = 2, .padding = padding});
    EXPECT_EQ(graph.shape(same), (Shape{2, 112, 113}));
}

TEST(Graph, names_its_tensors) {
    const auto graph = small_graph();
    std::set<std::string> names;
    for (const auto& spec : graph.parameters()) names.insert(spec.name);
    for (const char* name : {"stem.weight", "stem_norm.bias", "left.bias", "head.weight"})
        EXPECT_TRUE(names.contains(name)) << name;
    EXPECT_FALSE(names.contains("stem.bias"));
    EXPECT_FALSE(names.contains("c_scale.weight"));
    EXPECT_EQ(graph.buffers().size(), 10U);
    EXPECT_EQ(graph.node(graph.features()).shape.channels, 48);
    const auto tensors = initial_tensors(graph, 1);
    EXPECT_EQ(tensors.size(), graph.parameters().size() + graph.buffers().size());
    EXPECT_EQ(tensors.at("a1.weight").shape, (std::vector<std::int64_t>{8, 4, 3, 3}));
    EXPECT_EQ(tensors.at("c2.weight").shape, (std::vector<std::int64_t>{16, 8}));
    EXPECT_EQ(tensors.at("c_scale").shape, (std::vector<std::int64_t>{8, 1, 1}));
    EXPECT_EQ(tensors.at("c_scale").values, std::vector<float>(8, 0.5F));
    EXPECT_EQ(tensors.at("a1.weight").values, initial_tensors(graph, 1).at("a1.weight").values);
    EXPECT_NE(tensors.at("a1.weight").values, initial_tensors(graph, 2).at("a1.weight").values);
}

TEST(Graph, refuses_what_does_not_fit) {
    Graph graph({4, 8, 8});
    const auto x = graph.convolution(graph.input(), "x", {.channels = 4, .kernel = 3});
    EXPECT_THROW(graph.add(x, graph.input()), InputError);
    EXPECT_THROW(graph.concat({x, graph.input()}), InputError);
    EXPECT_THROW(graph.concat({}), InputError);
    EXPECT_THROW(graph.pad_channels(x, {.before = -1, .behind = 1}), InputError);
    EXPECT_THROW(graph.convolution(x, "x", {.channels = 4}), InputError);
    EXPECT_THROW(graph.convolution(x, "y", {.channels = 4, .kernel = 7}), InputError);
    EXPECT_THROW(graph.convolution(x, "y", {.channels = 4, .groups = 3}), InputError);
    EXPECT_THROW(graph.max_pool(x, {.kernel = 9, .stride = 1}), InputError);
    EXPECT_THROW(graph.unflatten(x, {4, 6, 6}), InputError);
    EXPECT_THROW(graph.unflatten(graph.linear(x, "row", 12), {3, 2, 1}), InputError);
    EXPECT_THROW(graph.find("z"), InputError);
    EXPECT_THROW(graph.dropout(x, 1), InputError);
    EXPECT_THROW(graph.stochastic_depth(x, -0.1), InputError);
    EXPECT_THROW(Graph({3, 0, 5}), InputError);
}

TEST(Fusion, joins_what_is_computed_at_once) {
    const auto graph = small_graph();
    const std::vector<bool> none(graph.nodes().size(), false), all(graph.nodes().size(), true);
    // stem, a1, a2 + addition, b1 + addition, b2, c1, its norm, c2 + GELU, c3 + scale + addition,
    // pool, left, right, its padding, concat, average, adaptive, hidden, its image, enlarged, head;
    // what flattens or drops vanishes, and the auxiliary output is not needed.
    EXPECT_EQ(fuse(graph, none, none).groups.size(), 20U);
    // Five norms of their own, a GELU, scale + addition, a dropout, two for the auxiliary output.
    EXPECT_EQ(fuse(graph, all, none).groups.size(), 30U);
    // Kept: all on their own but what flattens (three times) or drops (twice) and the input.
    EXPECT_EQ(fuse(graph, none, all).groups.size(), graph.nodes().size() - 6);
}

TEST(Fusion, computes_each_value_before_it_is_read) {
    const auto graph = small_graph();
    for (const bool trained : {false, true}) {
        const std::vector<bool> mode(graph.nodes().size(), trained);
        std::set<int> known{0};
        for (const auto& group :
             fuse(graph, mode, std::vector<bool>(graph.nodes().size(), false)).groups) {
            for (const int input : group.inputs) EXPECT_TRUE(known.contains(input));
            EXPECT_TRUE(group.addend < 0 || known.contains(group.addend));
            known.insert(group.output);
        }
    }
}

TEST(Arena, keeps_apart_what_lives_at_once) {
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        base::Random random(seed);
        struct Life {
            std::int64_t bytes;
            int first, last;
        };
        std::vector<Life> lives;
        Arena arena;
        std::int64_t all = 0;
        for (int i = 0; i < 40; ++i) {
            const int first = static_cast<int>(random.below(30));
            lives.push_back({static_cast<std::int64_t>(random.below(1000)), first,
                             first + static_cast<int>(random.below(6))});
            const int buffer = arena.add(lives.back().bytes, first);
            arena.use(buffer, lives.back().last);
            all += lives.back().bytes + 64;
        }
        const auto total = arena.layout();
        EXPECT_LT(total, all);
        for (std::size_t i = 0; i < lives.size(); ++i) {
            EXPECT_EQ(arena.offsets()[i] % 64, 0);
            EXPECT_LE(arena.offsets()[i] + lives[i].bytes, total);
            for (std::size_t j = 0; j < i; ++j) {
                const bool at_once =
                    lives[i].first <= lives[j].last && lives[j].first <= lives[i].last;
                const bool apart = arena.offsets()[i] + lives[i].bytes <= arena.offsets()[j] ||
                                   arena.offsets()[j] + lives[j].bytes <= arena.offsets()[i];
                EXPECT_TRUE(!at_once || apart);
            }
        }
    }
}

}  // namespace
}  // namespace nanoatlas::testing
