// A network that goes on to more classes.
#include "nn/train/growth.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "base/check.hpp"
#include "base/random.hpp"
#include "kernels/kokkos/runtime.hpp"
#include "nn/initialise.hpp"
#include "tests/small_corpus.hpp"
#include "tests/temporary_folder.hpp"

namespace nanoatlas::nn {
namespace {

using testing::world;
using Names = std::vector<std::string>;

constexpr int side = 32;

TEST(GrownClasses, known_ones_stay_in_place_and_new_ones_come_behind) {
    const Names known = {"c", "a"}, corpus = {"a", "b", "c"}, other = {"x", "y"};
    EXPECT_EQ(grown_classes(known, corpus, OldClasses::automatic), (Names{"c", "a", "b"}));
    EXPECT_EQ(grown_classes(known, {"a", "b"}, OldClasses::automatic), (Names{"c", "a", "b"}));
    EXPECT_EQ(grown_classes(known, {"a", "b"}, OldClasses::drop), (Names{"a", "b"}));
    EXPECT_EQ(grown_classes(known, other, OldClasses::automatic), other);
    EXPECT_EQ(grown_classes(known, other, OldClasses::keep), (Names{"c", "a", "x", "y"}));
    EXPECT_EQ(grown_classes(known, {"c", "a"}, OldClasses::automatic), known);
}

TEST(GrownClasses, paths_make_classes_finer_and_never_coarser) {
    EXPECT_EQ(grown_classes({"a", "b"}, {"a/x", "a/y", "b"}, OldClasses::automatic),
              (Names{"b", "a/x", "a/y"}));
    EXPECT_EQ(grown_classes({"a/x", "a/y"}, {"a", "c"}, OldClasses::automatic),
              (Names{"a/x", "a/y", "c"}));
    EXPECT_EQ(grown_classes({"a/x", "a/y"}, {"a", "c"}, OldClasses::drop), (Names{"a", "c"}));
    EXPECT_TRUE(knows_any({"a/x"}, {"a"}));
    EXPECT_TRUE(knows_any({"a"}, {"a/x"}));
    EXPECT_FALSE(knows_any({"a"}, {"b"}));
    EXPECT_THROW(parse_old_classes("forget"), InputError);
}

std::vector<std::uint8_t> random_pictures(std::int64_t first, std::int64_t count) {
    std::vector<std::uint8_t> pixels;
    for (auto i = first; i < first + count; ++i) {
        base::Random random(8, i);
        for (int pixel = 0; pixel < side * side; ++pixel)
            pixels.push_back(static_cast<std::uint8_t>(random.below(256)));
    }
    return pixels;
}

class Growth : public ::testing::Test {
  protected:
    static void SetUpTestSuite() { runtime_ = std::make_unique<kernels::kokkos::Runtime>(1); }
    static void TearDownTestSuite() { runtime_.reset(); }

    static ModelFile old_model() {
        return fresh_model("resnet18", {"c", "a"}, side, {.mean = 0.5, .std = 0.3}, 1);
    }
    /// Probabilities [pictures, classes], every rank all of them.
    std::vector<float> probabilities(const ModelFile& model) const {
        const ImageInputs inputs(pictures_, side, model.mean, model.std, std::nullopt, 0);
        auto network = inference_network(model, {}, {}, world());
        const std::vector<std::int64_t> rows = {0, 1, 2, 3};
        const auto logits = network.forward(inputs.plain(rows));
        std::vector<float> values(logits.begin(), logits.end());
        softmax(values, model.classes.size());
        return values;
    }

    Images pictures_{random_pictures(0, 12), side, side};

  private:
    static std::unique_ptr<kernels::kokkos::Runtime> runtime_;
};
std::unique_ptr<kernels::kokkos::Runtime> Growth::runtime_;

TEST_F(Growth, known_classes_keep_their_rows) {
    const auto old = old_model();
    const auto grown = adapted_model(old, {"a", "b", "c"}, 0, 9);
    const auto& before = old.tensors.at("fc.weight").values;
    const auto& after = grown.tensors.at("fc.weight").values;
    ASSERT_EQ(after.size(), 3U * 512);
    EXPECT_TRUE(std::equal(before.begin() + 512, before.end(), after.begin()));
    EXPECT_TRUE(std::equal(before.begin(), before.begin() + 512, after.begin() + 1024));
    EXPECT_EQ(grown.tensors.at("fc.bias").values[0], old.tensors.at("fc.bias").values[1]);
    EXPECT_EQ(grown.tensors.at("conv1.weight").values, old.tensors.at("conv1.weight").values);
    // The new one is as a new network would have it.
    const auto fresh = initial_tensors(graph_of(grown), 9).at("fc.weight").values;
    EXPECT_TRUE(std::equal(after.begin() + 512, after.begin() + 1024, fresh.begin() + 512));
    const auto same = adapted_model(old, old.classes, 0, 9);
    EXPECT_EQ(same.tensors.at("fc.weight").values, before);
}

TEST_F(Growth, classes_below_a_known_one_share_its_probability) {
    const auto old = old_model();
    const auto finer = adapted_model(old, {"c/1", "a", "c/2", "c/3"}, 0, 9);
    const auto before = probabilities(old), after = probabilities(finer);
    for (std::size_t i = 0; i < 4; ++i) {
        EXPECT_NEAR(after[4 * i] + after[4 * i + 2] + after[4 * i + 3], before[2 * i], 1e-6);
        EXPECT_NEAR(after[4 * i], after[4 * i + 2], 1e-7);
    }
}

TEST_F(Growth, a_class_that_joins_others_begins_with_their_mean) {
    const auto finer = adapted_model(old_model(), {"c/1", "a", "c/2", "c/3"}, 0, 9);
    const auto joined = adapted_model(finer, {"a", "c"}, 0, 9);
    const auto before = probabilities(finer), after = probabilities(joined);
    for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(after[2 * i], before[4 * i + 1], 1e-6);
}

TEST_F(Growth, larger_images_bring_in_the_auxiliary_output) {
    const auto small = fresh_model("inception_v3", {"c", "a"}, 96, {.mean = 0.5, .std = 0.3}, 1);
    EXPECT_FALSE(small.tensors.contains("AuxLogits.fc.weight"));
    const auto large = adapted_model(small, small.classes, 299, 9);
    for (const auto& [name, tensor] : small.tensors)
        EXPECT_EQ(large.tensors.at(name).values, tensor.values) << name;
    const auto graph = graph_of(large);
    for (const auto& specs : {graph.parameters(), graph.buffers()})
        for (const auto& spec : specs)
            EXPECT_EQ(large.tensors.at(spec.name).shape, spec.shape) << spec.name;
}

TEST_F(Growth, what_was_known_is_counted_before_and_after) {
    const testing::TemporaryFolder folder;
    testing::write_small_corpus(folder / "corpus.h5",
                                {.height = side,
                                 .width = side,
                                 .classes = {"a", "b", "c/1", "c/2"},
                                 .rows = 12,
                                 .row = [](std::int64_t i) {
                                     return testing::SmallCorpusRow{
                                         .pixels = random_pictures(i, 1),
                                         .label = static_cast<std::int32_t>(i % 4),
                                         .part = store::Part::validation};
                                 }});
    const store::CorpusReader corpus(folder / "corpus.h5");
    const Images images(corpus);
    const auto samples = labelled_samples(corpus, store::Part::validation);
    auto old = old_model();
    // Always "c", then always "a".
    std::ranges::fill(old.tensors.at("fc.weight").values, 0.0F);
    old.tensors.at("fc.bias").values = {1, 0};
    const Retention retention(old, corpus, samples, images, {}, world());
    auto grown = adapted_model(old, {"a", "c/1", "c/2", "b"}, 0, 9);
    std::ranges::fill(grown.tensors.at("fc.weight").values, 0.0F);
    grown.tensors.at("fc.bias").values = {1, 0, 0, 0};
    const auto counts = retention.compare(grown);
    ASSERT_EQ(counts.size(), 2U);
    EXPECT_EQ(counts[0].name, "c");
    EXPECT_EQ(counts[0].rows, 6);
    EXPECT_EQ(counts[0].before(), 1);
    EXPECT_EQ(counts[0].after(), 0);
    EXPECT_EQ(counts[1].name, "a");
    EXPECT_EQ(counts[1].rows, 3);
    EXPECT_EQ(counts[1].right_before, 0);
    EXPECT_EQ(counts[1].right_after, 3);
    // Any class below "c" is "c"; "b" was not known.
    grown.tensors.at("fc.bias").values = {0, 0, 1, 0};
    EXPECT_EQ(retention.compare(grown)[0].after(), 1);
    const auto all = Retention::sum(counts);
    EXPECT_EQ(all.rows, 9);
    EXPECT_EQ(all.right_before, 6);
}

TEST_F(Growth, samples_are_relabelled_by_name) {
    const Names network = {"b", "a/x", "a/y"};
    const Samples samples{.rows = {4, 5, 6, 7}, .labels = {0, 1, 2, 3}};
    const auto by_network = relabelled(samples, {"a", "a/y/1", "b", "d"}, Taxonomy(network));
    EXPECT_EQ(by_network.known.rows, (std::vector<std::int64_t>{4, 5, 6}));
    EXPECT_EQ(by_network.known.labels, (std::vector<std::int32_t>{3, 2, 0}));
    EXPECT_EQ(by_network.known.inner, (InnerNodes{{1, 2}}));
    EXPECT_EQ(by_network.unknown.rows, std::vector<std::int64_t>{7});
    EXPECT_EQ(by_network.strange, Names{"d"});
    // An inner node counts for each of its leaves by the same part.
    const auto weights = balanced_weights(by_network.known, 3);
    EXPECT_FLOAT_EQ(weights[0], 1);
    EXPECT_FLOAT_EQ(weights[1], 2);
    EXPECT_FLOAT_EQ(weights[2], 2.0F / 3);
}

}  // namespace
}  // namespace nanoatlas::nn
