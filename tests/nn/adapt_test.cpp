// Adaptation without labels: the loss against its definition, its gradient against differences, a
// network's gradient from a loss outside against that from the one inside, and a whole course.
#include "nn/train/adapt.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "base/check.hpp"
#include "nn/train/contrastive.hpp"
#include "nn/train/start.hpp"
#include "tests/nn/small_course.hpp"

namespace nanoatlas::testing {
namespace {

std::vector<float> random_outputs(std::size_t count) {
    base::Random random(31, static_cast<std::int64_t>(count));
    std::vector<float> values(count);
    for (auto& value : values) value = static_cast<float>(2 * random.normal());
    return values;
}

double loss_of(std::span<const float> outputs, std::int64_t columns, double temperature) {
    std::vector<float> gradient(outputs.size());
    return contrastive_loss(outputs, columns, temperature, gradient);
}

TEST(ContrastiveLoss, is_the_mean_of_minus_log_shares) {
    constexpr std::size_t rows = 6, columns = 3;
    const auto z = random_outputs(rows * columns);
    const auto cosine = [&](std::size_t a, std::size_t b) {
        double ab = 0, aa = 0, bb = 0;
        for (std::size_t j = 0; j < columns; ++j) {
            ab += static_cast<double>(z[a * columns + j]) * z[b * columns + j];
            aa += std::pow(z[a * columns + j], 2);
            bb += std::pow(z[b * columns + j], 2);
        }
        return ab / std::sqrt(aa * bb);
    };
    double expected = 0;
    for (std::size_t i = 0; i < rows; ++i) {
        double sum = 0;
        for (std::size_t k = 0; k < rows; ++k)
            if (k != i) sum += std::exp(cosine(i, k) / 0.5);
        expected -= std::log(std::exp(cosine(i, i ^ 1U) / 0.5) / sum) / rows;
    }
    EXPECT_NEAR(loss_of(z, columns, 0.5), expected, 1e-9);
}

TEST(ContrastiveLoss, gradient_agrees_with_differences) {
    for (const std::int64_t columns : {2, 7})
        for (const double temperature : {0.1, 1.0}) {
            auto z = random_outputs(static_cast<std::size_t>(8 * columns));
            std::vector<float> gradient(z.size());
            contrastive_loss(z, columns, temperature, gradient);
            for (std::size_t at = 0; at < z.size(); ++at) {
                const float before = z[at], step = 1.0F / 512;
                z[at] = before + step;
                const double above = loss_of(z, columns, temperature), to = z[at];
                z[at] = before - step;
                const double below = loss_of(z, columns, temperature), from = z[at];
                z[at] = before;
                EXPECT_NEAR(gradient[at], (above - below) / (to - from), 2e-4);
            }
        }
}

TEST(ContrastiveLoss, survives_views_without_length_and_overconfidence) {
    std::vector<float> z(8), gradient(8);
    EXPECT_TRUE(std::isfinite(contrastive_loss(z, 2, 0.01, gradient)));
    for (const float value : gradient) EXPECT_TRUE(std::isfinite(value));
    z = {1e10F, 0, 1e10F, 0, 0, 1e10F, 0, 1e10F};
    EXPECT_NEAR(contrastive_loss(z, 2, 0.001, gradient), 0, 1e-6);
}

class Adapting : public TrainingCourse {};

TEST_F(Adapting, a_loss_from_outside_gives_the_gradients_of_the_same_loss_inside) {
    auto inside = make_network(course_, world()), outside = make_network(course_, world());
    const auto size = world().size();  // of several ranks the last one has no sample
    const auto rows = comm::row_block(size > 1 ? size - 1 : 7, world());
    std::vector<std::int64_t> mine;
    std::vector<std::int32_t> labels;
    for (auto row = rows.first; row < rows.end(); ++row) {
        mine.push_back(row);
        labels.push_back(static_cast<std::int32_t>(row % 3));
    }
    const auto images = course_.plain.plain(mine);
    const auto expected = inside.train_step(images, labels, {}, {});
    const double loss = outside.train_step(
        images,
        [&](std::span<const float> logits, std::span<float> gradient) {
            EXPECT_EQ(std::ssize(logits), rows.count * 3);
            double sum = 0;
            for (std::size_t i = 0; i < labels.size(); ++i) {
                double all = 0;
                for (std::size_t c = 0; c < 3; ++c) all += std::exp(logits[3 * i + c]);
                for (std::size_t c = 0; c < 3; ++c) {
                    const double share = std::exp(logits[3 * i + c]) / all;
                    const bool is_label = static_cast<std::int32_t>(c) == labels[i];
                    gradient[3 * i + c] = static_cast<float>((share - (is_label ? 1 : 0)) /
                                                             static_cast<double>(rows.total));
                    if (is_label) sum -= std::log(share) / static_cast<double>(rows.total);
                }
            }
            return world().sum(sum);
        },
        {});
    EXPECT_NEAR(loss, expected.loss, 1e-5);
    const auto found = outside.gradients(), wanted = inside.gradients();
    ASSERT_EQ(found.size(), wanted.size());
    for (std::size_t i = 0; i < found.size(); ++i) ASSERT_NEAR(found[i], wanted[i], 1e-5);
}

const ModelFile& small_model() {
    static const auto model = fresh_model("efficientnet_lite0", {"a", "b", "c"}, 32, {}, 5);
    return model;
}

/// Pictures that differ in brightness and in how fast they darken.
Images plain_pictures(std::int64_t count) {
    std::vector<std::uint8_t> pixels;
    for (std::int64_t n = 0; n < count; ++n)
        for (int y = 0; y < side; ++y)
            for (int x = 0; x < side; ++x)
                pixels.push_back(static_cast<std::uint8_t>(40 + 12 * n - (n % 4) * y));
    return {std::move(pixels), side, side};
}

AdaptSettings short_adaptation() {
    AdaptSettings settings;
    settings.epochs = 4;
    settings.batch = 8;
    settings.blocks = 2;
    settings.rate = 1e-3;
    settings.augmentation = {.smallest_crop = 0.9, .gain = 0.02, .offset = 0.01, .noise = 0.01};
    return settings;
}

ModelFile adapted(const Images& images, const AdaptSettings& settings,
                  const comm::Communicator& comm, std::vector<double>* losses = nullptr) {
    return adapt(
        small_model(), images, settings,
        [&](std::int64_t, double loss) {
            if (losses != nullptr) losses->push_back(loss);
        },
        comm);
}

TEST_F(Adapting, trains_the_last_blocks_alone_and_is_the_same_on_any_number_of_ranks) {
    const auto images = plain_pictures(16);
    std::vector<double> losses, alone;
    const auto& before = small_model();
    const auto after = adapted(images, short_adaptation(), world(), &losses);
    if (world().is_root()) adapted(images, short_adaptation(), comm::Communicator::self(), &alone);
    alone.resize(4);
    world().broadcast(std::span<double>(alone));
    ASSERT_EQ(losses.size(), 4U);
    for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(losses[i], alone[i], 2e-3 * alone[i]);
    EXPECT_LT(losses[3], 0.9 * losses[0]);
    ASSERT_EQ(after.tensors.size(), before.tensors.size());
    for (const auto& [name, tensor] : before.tensors) {
        const bool last = name.starts_with("_blocks.15.") || name.starts_with("_conv_head") ||
                          name.starts_with("_bn1.");
        EXPECT_EQ(after.tensors.at(name).values != tensor.values, last) << name;
    }
}

TEST_F(Adapting, wrong_settings_are_refused_in_words) {
    const auto refusal = [&](const auto& change, std::int64_t pictures = 8) {
        auto settings = short_adaptation();
        change(settings);
        try {
            adapted(plain_pictures(pictures), settings, world());
        } catch (const InputError& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    EXPECT_NE(refusal([](auto& s) { s.epochs = 0; }).find("--epochs 0"), std::string::npos);
    EXPECT_NE(refusal([](auto& s) { s.batch = 1; }).find("--batch 1"), std::string::npos);
    EXPECT_NE(refusal([](auto& s) { s.temperature = 0; }).find("--temperature 0"),
              std::string::npos);
    EXPECT_NE(refusal([](auto& s) { s.augmentation.smallest_crop = 0; }).find("--crop 0"),
              std::string::npos);
    EXPECT_NE(refusal([](auto&) {}, 3).find("too few"), std::string::npos);
    EXPECT_NE(refusal([](auto& s) { s.rate = 1e30; }).find("lower --lr"), std::string::npos);
}

}  // namespace
}  // namespace nanoatlas::testing
