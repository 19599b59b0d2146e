#include "nn/train/gradient.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.hpp"

namespace nanoatlas::nn {
namespace {

std::vector<float> random_values(std::size_t count, std::uint64_t seed) {
    base::Random random(seed);
    std::vector<float> values(count);
    for (auto& value : values) value = static_cast<float>(random.normal());
    return values;
}

TEST(GradientMean, weighs_passes_and_begins_anew) {
    GradientMean mean;
    const auto a = random_values(5000, 1), b = random_values(5000, 2);
    std::vector<float> got(5000);
    for (int round = 0; round < 2; ++round) {
        mean.add(a, 3);
        mean.add(b, 1.5);
        mean.take(got);
        for (std::size_t i = 0; i < got.size(); ++i)
            ASSERT_NEAR(got[i], (3 * a[i] + 1.5 * b[i]) / 4.5, 1e-6);
    }
}

TEST(ClipNorm, shortens_what_is_too_long_as_torch_does) {
    for (const std::size_t count : {1U, 100U, 40000U}) {
        const auto values = random_values(count, 3);
        double squares = 0;
        for (const double value : values) squares += value * value;
        const double norm = std::sqrt(squares);
        auto clipped = values;
        EXPECT_NEAR(clip_norm(clipped, norm / 3), norm, 1e-9 * norm);
        for (std::size_t i = 0; i < count; ++i)
            ASSERT_NEAR(clipped[i], values[i] * (norm / 3) / (norm + 1e-6), 1e-6);
        auto kept = values;
        clip_norm(kept, 2 * norm);
        EXPECT_EQ(kept, values);
    }
}

}  // namespace
}  // namespace nanoatlas::nn
