// Features from several views and layers against forward passes one by one.
#include "nn/train/layer_features.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "base/check.hpp"
#include "tests/nn/small_course.hpp"

namespace nanoatlas::testing {
namespace {

class LayerFeaturesTest : public TrainingCourse {
  protected:
    LayerFeaturesTest() : network_(graph_, {.batch = 3, .keep = {"conv1", "bn2"}}, world()) {
        network_.load(initial_tensors(graph_, 12));
    }
    std::vector<float> features(const std::string& layers, const std::string& views,
                                Pooling pooling = Pooling::off) {
        return LayerFeatures(graph_, layers, pooling)
            .mean_over(ViewSet(views, side, side), network_, course_.plain, rows_);
    }
    /// What one view of a row is in a layer.
    std::vector<float> values(const std::string& layer, std::int64_t row,
                              const kernels::ImageView& view) {
        std::vector<float> image(static_cast<std::size_t>(side * side));
        const std::uint8_t* pixels = course_.images.row(row);
        kernels::reference::augment(std::span(&pixels, 1), std::span(&view, 1),
                                    course_.plain.format(), image);
        network_.forward(image);
        return network_.value(layer);
    }

    Graph graph_ = course_graph(0);
    Network network_;
    std::vector<std::int64_t> rows_{4, 0, 17};
};

TEST_F(LayerFeaturesTest, are_the_mean_over_the_views) {
    for (const std::string text :
         {"1", "4", "flips", "symmetries", "crops", "scales", "flips+scales"}) {
        const auto found = features("", text);
        const ViewSet views(text, side, side);
        ASSERT_EQ(found.size(), 3U * 16U);
        for (std::size_t i = 0; i < 3; ++i) {
            std::vector<double> mean(16);
            for (std::int64_t number = 0; number < views.count(); ++number) {
                const auto seen = values("pooled", rows_[i], views.view(number, rows_[i]));
                for (std::size_t j = 0; j < 16; ++j)
                    mean[j] += seen[j] / static_cast<double>(views.count());
            }
            for (std::size_t j = 0; j < 16; ++j)
                ASSERT_NEAR(found[i * 16 + j], mean[j], 1e-4) << text;
        }
    }
}

TEST_F(LayerFeaturesTest, of_several_layers_are_their_means_over_pixels_of_unit_length) {
    const auto found = features("conv1,bn2", "1");
    ASSERT_EQ(found.size(), 3U * 24U);
    for (std::size_t i = 0; i < 3; ++i) {
        const auto view = whole_view(side, side);
        std::size_t first = i * 24;
        for (const std::string layer : {"conv1", "bn2"}) {
            const auto seen = values(layer, rows_[i], view);
            const std::size_t channels = layer == "conv1" ? 8 : 16;
            const auto pixels = seen.size() / channels;
            std::vector<double> mean(channels);
            double square = 0;
            for (std::size_t j = 0; j < channels; ++j) {
                for (std::size_t p = 0; p < pixels; ++p)
                    mean[j] += seen[j * pixels + p] / static_cast<double>(pixels);
                square += mean[j] * mean[j];
            }
            for (std::size_t j = 0; j < channels; ++j)
                ASSERT_NEAR(found[first + j], mean[j] / std::sqrt(square), 1e-4) << layer;
            first += channels;
        }
    }
    EXPECT_EQ(features("conv1", "1").size(), 3U * 8U * side * side);
    EXPECT_EQ(features("conv1", "1", Pooling::on).size(), 3U * 8U);
}

TEST_F(LayerFeaturesTest, wrong_layers_and_views_are_refused_in_words) {
    const auto refusal = [&](const std::string& layers, const std::string& views) {
        try {
            features(layers, views);
        } catch (const InputError& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    EXPECT_NE(refusal("conv1,conv9", "1").find("no layer 'conv9'; it has: input, conv1"),
              std::string::npos);
    EXPECT_NE(refusal("conv1,", "1").find("no layer ''"), std::string::npos);
    EXPECT_NE(refusal("", "0").find("not in [1, 1000]"), std::string::npos);
    for (const char* views : {"", "all", "flips+", "flips,crops", "2.5"})
        EXPECT_NE(refusal("", views).find("is no kind of views"), std::string::npos) << views;
}

TEST(ViewSet, views_differ_lie_in_the_image_and_begin_with_all_of_it) {
    const std::map<std::string, std::size_t> counts{{"1", 1},
                                                    {"5", 5},
                                                    {"flips", 4},
                                                    {"symmetries", 8},
                                                    {"crops", 6},
                                                    {"scales", 3},
                                                    {"flips+crops+scales", 32}};
    for (const auto& [text, count] : counts) {
        const ViewSet views(text, 40, 60);
        ASSERT_EQ(views.count(), static_cast<std::int64_t>(count)) << text;
        std::set<std::array<float, 5>> different;
        for (std::int64_t number = 0; number < views.count(); ++number) {
            const auto view = views.view(number, 7);
            EXPECT_GE(view.top, 0);
            EXPECT_GE(view.left, 0);
            EXPECT_LE(view.top + view.height, 40.001F);
            EXPECT_LE(view.left + view.width, 60.001F);
            different.insert({view.top, view.left, view.height, view.width,
                              static_cast<float>(view.orientation)});
        }
        EXPECT_EQ(different.size(), count) << text;
        const auto first = views.view(0, 7);
        EXPECT_EQ(first.height, 40);
        EXPECT_EQ(first.width, 60);
        EXPECT_EQ(first.orientation, 0);
        EXPECT_EQ(first.noise, 0);
    }
}

}  // namespace
}  // namespace nanoatlas::testing
