#include "nn/train/gradient.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "base/random.hpp"
#include "nn/backend.hpp"

namespace nanoatlas::nn {
namespace {

std::vector<float> random_values(std::size_t count, std::uint64_t seed) {
    base::Random random(seed);
    std::vector<float> values(count);
    for (auto& value : values) value = static_cast<float>(random.normal());
    return values;
}

TEST(GradientMean, weighs_passes_and_begins_anew) {
    const auto backend = make_backend(default_backend(), Precision::f32);
    Values values(*backend, 5000);
    const auto span = [](float* begin) { return std::span(begin, 5000); };
    GradientMean mean(*backend, values.size());
    const auto a = random_values(5000, 1), b = random_values(5000, 2);
    for (int round = 0; round < 2; ++round) {
        std::ranges::copy(a, values.changed_by_host().begin());
        mean.add(span(values.in_backend()), 3);
        std::ranges::copy(b, values.changed_by_host().begin());
        mean.add(span(values.in_backend()), 1.5);
        mean.take(span(values.changed_by_backend()));
        const auto got = values.on_host();
        for (std::size_t i = 0; i < got.size(); ++i)
            ASSERT_NEAR(got[i], (3 * a[i] + 1.5 * b[i]) / 4.5, 1e-6);
    }
}

}  // namespace
}  // namespace nanoatlas::nn
