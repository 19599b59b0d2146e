// An autoencoder whose training is cut off and goes on: the same bits as without a break.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/check.hpp"
#include "base/options.hpp"
#include "reduce/autoencoder/training.hpp"
#include "store/provenance.hpp"
#include "tests/kokkos_environment.hpp"
#include "tests/reduce/autoencoder_samples.hpp"
#include "tests/temporary_folder.hpp"

namespace nanoatlas::reduce {
namespace {

using testing::random_values, testing::small_ones, testing::block_of, testing::world;

/// 41 rows, of which 4 or none are held out; 5 epochs of 5 steps.
struct Course {
    Autoencoder autoencoder;
    double holdout;
    AutoencoderSettings settings{.epochs = 5, .batch = 9, .rate = 0.01, .noise = 0.1, .seed = 4};
};

struct Learnt {
    nn::TensorMap tensors;
    AutoencoderTraining training;
};

Learnt learn(const Course& course, std::optional<nn::TrainingState> resume,
             const nn::TrainingHooks& hooks) {
    auto autoencoder = course.autoencoder;
    const auto elements = autoencoder.input.elements();
    const std::vector<double> zeros(static_cast<std::size_t>(elements), 0),
        ones(static_cast<std::size_t>(elements), 1);
    MatrixRows matrix(block_of(random_values(41 * elements, 31), elements, world()), {zeros, ones},
                      world());
    auto training = train(autoencoder, matrix, draw_split(41, course.holdout, 4), course.settings,
                          std::move(resume), hooks, world());
    return {std::move(autoencoder.tensors), std::move(training)};
}

void expect_equal(const Learnt& found, const Learnt& expected) {
    ASSERT_EQ(found.tensors.size(), expected.tensors.size());
    for (const auto& [name, tensor] : expected.tensors)
        EXPECT_EQ(found.tensors.at(name).values, tensor.values) << name;
    EXPECT_EQ(found.training.best, expected.training.best);
    ASSERT_EQ(found.training.epochs.size(), expected.training.epochs.size());
    for (std::size_t i = 0; i < expected.training.epochs.size(); ++i) {
        EXPECT_EQ(found.training.epochs[i].trained, expected.training.epochs[i].trained);
        const auto& held_out = expected.training.epochs[i].held_out;
        if (!std::isnan(held_out)) {
            EXPECT_EQ(found.training.epochs[i].held_out, held_out);
        }
    }
}

/// What ends a run that nobody asked to stop.
struct Death {};

class AutoencoderThatIsCutOff : public ::testing::Test {
  protected:
    nn::TrainingHooks keeping() {
        return {.save = [this](const nn::TrainingState& state) {
            ++saves_;
            nn::write_checkpoint(folder_ / ".", state, settings_, provenance_, world());
        }};
    }
    std::optional<nn::TrainingState> kept() const {
        return nn::read_checkpoint(folder_ / ".", settings_, world());
    }

    const testing::TemporaryFolder folder_;
    const nn::TrainingSettingsText settings_ = {{"seed", "4"}};
    const base::OptionTable table_{"reduce", "a test"};
    const store::Provenance provenance_{table_, world()};
    int saves_ = 0;
};

TEST_F(AutoencoderThatIsCutOff, goes_on_to_the_bit_after_it_was_asked_to_stop) {
    for (const auto& autoencoder : small_ones())
        for (const double holdout : {0.1, 0.0}) {
            const Course course{.autoencoder = autoencoder, .holdout = holdout};
            const auto straight = learn(course, {}, {});
            ASSERT_EQ(straight.training.epochs.size(), 5U);
            // In the first epoch, at an epoch's end, in the middle of one, at the very end.
            for (const int stop_after : {2, 10, 13, 25}) {
                auto hooks = keeping();
                hooks.stop = [&, steps = 0]() mutable { return ++steps == stop_after; };
                EXPECT_THROW(learn(course, {}, hooks), StoppedOnRequest);
                const auto state = kept();
                ASSERT_TRUE(state);
                EXPECT_EQ(state->epoch * 5 + state->step, stop_after);
                expect_equal(learn(course, state, {}), straight);
            }
        }
}

TEST_F(AutoencoderThatIsCutOff, loses_no_more_than_the_time_since_its_last_checkpoint) {
    const Course course{.autoencoder = small_ones()[0], .holdout = 0.1};
    const auto straight = learn(course, {}, {});
    auto hooks = keeping();
    hooks.step_done = [steps = 0](const nn::TrainingState&) mutable {
        if (++steps == 18) throw Death();
    };
    EXPECT_THROW(learn(course, {}, hooks), Death);
    EXPECT_GE(saves_, 1) << "the first epoch is not kept";
    const auto state = kept();
    ASSERT_TRUE(state);
    EXPECT_GE(state->epoch, 1);
    expect_equal(learn(course, state, {}), straight);
}

TEST_F(AutoencoderThatIsCutOff, goes_on_from_its_end_without_a_step) {
    const Course course{.autoencoder = small_ones()[2], .holdout = 0.1};
    auto hooks = keeping();
    hooks.stop = [steps = 0]() mutable { return ++steps == 25; };
    EXPECT_THROW(learn(course, {}, hooks), StoppedOnRequest);
    nn::TrainingHooks no_step;
    no_step.step_done = [](const nn::TrainingState&) { FAIL() << "a step after the last one"; };
    EXPECT_EQ(learn(course, kept(), no_step).training.epochs.size(), 5U);
}

TEST_F(AutoencoderThatIsCutOff, stops_before_its_time_limit) {
    const Course course{.autoencoder = small_ones()[0], .holdout = 0.1};
    auto hooks = keeping();
    hooks.time_limit = 1e-9;  // long gone, and a step is made
    EXPECT_THROW(learn(course, {}, hooks), StoppedOnRequest);
    ASSERT_EQ(saves_, 1);
    EXPECT_EQ(kept()->step, 1);
    hooks.time_limit = 1e9;
    EXPECT_EQ(learn(course, kept(), hooks).training.epochs.size(), 5U);
}

TEST(AutoencoderHistory, is_kept_to_the_bit) {
    const auto nothing = std::numeric_limits<double>::quiet_NaN();
    for (const double held_out : {1.0 / 3, 0.0, 1e-310, 12345.678901234567, nothing}) {
        const auto line = line_of(7, {.trained = 2.0 / 7, .held_out = held_out});
        EXPECT_NE(line.find("\"epoch\":7"), std::string::npos) << line;
        const auto found = errors_of(line);
        EXPECT_EQ(found.trained, 2.0 / 7);
        if (std::isnan(held_out))
            EXPECT_TRUE(std::isnan(found.held_out));
        else
            EXPECT_EQ(found.held_out, held_out);
    }
}

TEST(AutoencoderRows, fingerprint_tells_rows_apart_and_not_ranks) {
    const auto of = [](const std::vector<float>& values, const comm::Communicator& comm) {
        return fingerprint(MatrixRows(block_of(values, 5, comm),
                                      {std::vector<double>(5, 0), std::vector<double>(5, 1)}, comm),
                           comm);
    };
    for (const std::int64_t rows : {2, 3, 40}) {
        auto values = random_values(rows * 5, 9);
        const auto expected = of(values, comm::Communicator::self());
        EXPECT_EQ(of(values, world()), expected);
        std::swap_ranges(values.begin(), values.begin() + 5, values.begin() + 5);
        EXPECT_NE(of(values, world()), expected) << "rows in another order";
        std::swap_ranges(values.begin(), values.begin() + 5, values.begin() + 5);
        values.back() = std::nextafter(values.back(), 9.0F);
        EXPECT_NE(of(values, world()), expected) << "another value";
    }
}

}  // namespace
}  // namespace nanoatlas::reduce
