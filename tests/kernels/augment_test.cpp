// Augmentation: the fast form against the plain one, and what each change does to a picture.
#include "kernels/kokkos/augment.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/random.hpp"
#include "kernels/cudnn/cudnn.hpp"
#include "kernels/kokkos/runtime.hpp"
#include "kernels/pictures.hpp"

namespace nanoatlas::kernels {
namespace {

struct Batch {
    std::vector<std::vector<std::uint8_t>> pixels;
    std::vector<const std::uint8_t*> images;
    std::vector<ImageView> views;
    InputFormat format;

    std::size_t output_size() const {
        return images.size() * format.mean.size() * static_cast<std::size_t>(format.size) *
               static_cast<std::size_t>(format.size);
    }
};

Batch random_batch(std::uint64_t seed) {
    base::Random random(seed, 77);
    Batch batch;
    batch.format = {.height = 1 + static_cast<int>(random.below(40)),
                    .width = 1 + static_cast<int>(random.below(40)),
                    .size = 1 + static_cast<int>(random.below(30)),
                    .mean = {0.4F},
                    .std = {0.2F}};
    if (random.chance(0.3)) {
        batch.format.mean = {0.4F, 0.5F, 0.6F};
        batch.format.std = {0.2F, 0.3F, 0.4F};
    }
    const auto count = random.below(5);
    for (std::uint64_t n = 0; n < count; ++n) {
        auto& image = batch.pixels.emplace_back(
            static_cast<std::size_t>(batch.format.height * batch.format.width));
        for (auto& pixel : image) pixel = static_cast<std::uint8_t>(random.below(256));
        ImageView view;
        view.height = static_cast<float>(batch.format.height * random.uniform(0.2, 1.0));
        view.width = static_cast<float>(batch.format.width * random.uniform(0.2, 1.0));
        view.top = static_cast<float>(random.uniform(0, batch.format.height - view.height));
        view.left = static_cast<float>(random.uniform(0, batch.format.width - view.width));
        view.orientation = static_cast<std::uint8_t>(random.below(8));
        view.gain = static_cast<float>(random.uniform(0.5, 1.5));
        view.offset = static_cast<float>(random.uniform(-0.2, 0.2));
        view.noise = random.chance(0.5) ? 0.1F : 0.0F;
        view.noise_key = random();
        batch.views.push_back(view);
    }
    for (const auto& image : batch.pixels) batch.images.push_back(image.data());
    return batch;
}

class Augment : public ::testing::Test {
  protected:
    static void SetUpTestSuite() { runtime_ = std::make_unique<kokkos::Runtime>(2); }
    static void TearDownTestSuite() { runtime_.reset(); }

  private:
    static std::unique_ptr<kokkos::Runtime> runtime_;
};
std::unique_ptr<kokkos::Runtime> Augment::runtime_;

std::vector<float> fast(const Batch& batch) {
    std::vector<float> output(batch.output_size());
    kokkos::augment(batch.images, batch.views, batch.format, output);
    return output;
}

TEST_F(Augment, agrees_with_reference_on_random_shapes) {
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
        const auto batch = random_batch(seed);
        std::vector<float> expected(batch.output_size());
        reference::augment(batch.images, batch.views, batch.format, expected);
        const auto got = fast(batch);
        for (std::size_t i = 0; i < got.size(); ++i)
            ASSERT_NEAR(got[i], expected[i], 1e-5 / 0.2) << "seed " << seed << ", value " << i;
    }
}

/// Mixed as drawn, by a GPU; from pictures that it holds, or that are brought to it.
std::vector<float> on_device(Backend& backend, const Batch& batch, bool held,
                             const std::vector<std::int64_t>& others,
                             const std::vector<float>& shares) {
    const auto samples = std::ssize(batch.images), size = std::int64_t{batch.format.size};
    const auto reader = backend.picture_reader({batch.format, samples});
    std::vector<std::uint8_t> all;
    std::vector<std::int64_t> numbers;
    for (auto n = std::size_t{0}; n < batch.pixels.size(); ++n) {  // the last one first
        const auto& pixels = batch.pixels[batch.pixels.size() - 1 - n];
        all.insert(all.end(), pixels.begin(), pixels.end());
        numbers.push_back(samples - 1 - static_cast<std::int64_t>(n));
    }
    if (held) reader->hold(all.data(), samples);
    reader->set_batch({batch.images, numbers, batch.views, others, shares});
    const ImageShape shape{samples, size, size, std::ssize(batch.format.mean)};
    const auto input = backend.allocate(shape.elements() * 4);
    reader->read(samples, input.get());
    std::vector<float> values(batch.output_size());
    backend.export_images(input.get(), shape, values.data());
    return values;
}

TEST_F(Augment, agrees_with_reference_on_a_gpu) {
    if (cudnn::device_count() == 0) GTEST_SKIP() << "skipped: there is no GPU";
    const auto backend = cudnn::make_backend(Precision::f32);
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
        const auto batch = random_batch(seed);
        if (batch.images.empty()) continue;
        std::vector<float> plain(batch.output_size());
        reference::augment(batch.images, batch.views, batch.format, plain);
        std::vector<std::int64_t> others;
        std::vector<float> shares;
        if (seed % 2 == 1)
            for (std::size_t n = 0; n < batch.images.size(); ++n) {
                others.push_back(std::ssize(batch.images) - 1 - static_cast<std::int64_t>(n));
                shares.push_back(0.25F * static_cast<float>(n));
            }
        const auto got = on_device(*backend, batch, seed % 3 == 0, others, shares);
        const auto each = got.size() / batch.images.size();
        for (std::size_t i = 0; i < got.size(); ++i) {
            float expected = plain[i];
            if (!others.empty()) {
                const auto other = static_cast<std::size_t>(others[i / each]) * each + i % each;
                expected = shares[i / each] * plain[i] + (1 - shares[i / each]) * plain[other];
            }
            ASSERT_NEAR(got[i], expected, 1e-5 / 0.2) << "seed " << seed << ", value " << i;
        }
    }
}

TEST_F(Augment, an_image_does_not_depend_on_its_neighbours_in_the_batch) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        const auto batch = random_batch(seed);
        const auto together = fast(batch);
        const std::size_t each = batch.images.empty() ? 0 : together.size() / batch.images.size();
        for (std::size_t n = 0; n < batch.images.size(); ++n) {
            Batch one = batch;
            one.images = {batch.images[n]};
            one.views = {batch.views[n]};
            const auto alone = fast(one);
            EXPECT_TRUE(std::equal(alone.begin(), alone.end(),
                                   together.begin() + static_cast<std::ptrdiff_t>(n * each)));
        }
    }
}

/// A 3x3 picture seen whole, [0, 1], without normalisation.
std::vector<float> see(const std::vector<std::uint8_t>& pixels, ImageView view, int size = 3) {
    view.height = view.height == 0 ? 3 : view.height;
    view.width = view.width == 0 ? 3 : view.width;
    Batch batch;
    batch.images = {pixels.data()};
    batch.views = {view};
    batch.format = {.height = 3, .width = 3, .size = size, .mean = {0}, .std = {1}};
    return fast(batch);
}

TEST_F(Augment, whole_image_at_its_own_size_is_unchanged) {
    const std::vector<std::uint8_t> pixels = {0, 51, 102, 153, 204, 255, 10, 20, 30};
    const auto seen = see(pixels, {});
    for (std::size_t i = 0; i < pixels.size(); ++i) EXPECT_FLOAT_EQ(seen[i], pixels[i] / 255.0F);
}

TEST_F(Augment, orientations_are_the_eight_symmetries_of_the_square) {
    const std::vector<std::uint8_t> pixels = {0, 51, 102, 153, 204, 255, 10, 20, 30};
    std::vector<std::vector<float>> seen;
    for (std::uint8_t orientation = 0; orientation < 8; ++orientation)
        seen.push_back(see(pixels, {.orientation = orientation}));
    EXPECT_FLOAT_EQ(seen[1][0], pixels[2] / 255.0F);  // columns mirrored
    EXPECT_FLOAT_EQ(seen[2][0], pixels[6] / 255.0F);  // rows mirrored
    EXPECT_FLOAT_EQ(seen[4][1], pixels[3] / 255.0F);  // transposed
    EXPECT_FLOAT_EQ(seen[5][0], pixels[6] / 255.0F);  // a quarter turn
    for (std::size_t a = 0; a < seen.size(); ++a)
        for (std::size_t b = 0; b < a; ++b) EXPECT_NE(seen[a], seen[b]);
}

TEST_F(Augment, shrinking_averages_and_tone_is_cut_to_range) {
    const std::vector<std::uint8_t> pixels = {0, 0, 0, 0, 255, 0, 0, 0, 0};
    // One output pixel: triangle of half width 3 over offsets -1, 0, 1: weights 2, 3, 2.
    EXPECT_NEAR(see(pixels, {}, 1)[0], 9.0 / 49, 1e-6);
    EXPECT_FLOAT_EQ(see(pixels, {.gain = 2, .offset = 0.25F})[4], 1);
    EXPECT_FLOAT_EQ(see(pixels, {.gain = 2, .offset = 0.25F})[0], 0.25F);
    EXPECT_FLOAT_EQ(see(pixels, {.offset = -0.5F})[0], 0);
}

TEST(PixelNoise, has_mean_zero_and_unit_variance) {
    double sum = 0, squares = 0;
    constexpr int count = 100000;
    for (std::uint64_t i = 0; i < count; ++i) {
        const double z = pixel_noise(42, i);
        sum += z;
        squares += z * z;
    }
    EXPECT_NEAR(sum / count, 0, 0.02);
    EXPECT_NEAR(squares / count, 1, 0.02);
    EXPECT_NE(pixel_noise(42, 0), pixel_noise(43, 0));
}

}  // namespace
}  // namespace nanoatlas::kernels
