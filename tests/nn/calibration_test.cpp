// The temperature against a plain search for the least loss, on any number of ranks.
#include "nn/train/calibration.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.hpp"
#include "comm/distribution.hpp"
#include "tests/mpi_test.hpp"

namespace nanoatlas::nn {
namespace {

using testing::world;

constexpr std::size_t classes = 4;

struct Problem {
    std::vector<float> logits;  ///< of all samples
    Samples samples;

    std::vector<float> mine(const comm::Communicator& comm) const {
        const auto block = comm::row_block(std::ssize(samples.rows), comm);
        const auto width = static_cast<std::int64_t>(classes);
        return {logits.begin() + block.first * width, logits.begin() + block.end() * width};
    }
    double temperature(const comm::Communicator& comm) const {
        return fit_temperature(mine(comm), samples, comm);
    }
    /// Mean negative log likelihood, as the definition says.
    double loss(double temperature) const {
        double total = 0;
        for (std::size_t i = 0; i < samples.rows.size(); ++i) {
            double all = 0, of_label = 0;
            const auto label = static_cast<std::size_t>(samples.labels[i]);
            for (std::size_t c = 0; c < classes; ++c) {
                const double weight =
                    std::exp(static_cast<double>(logits[i * classes + c]) / temperature);
                all += weight;
                if (label < classes ? c == label : c >= 2) of_label += weight;
            }
            total += std::log(all / of_label);
        }
        return total / static_cast<double>(samples.rows.size());
    }
    /// The least of it, by thirds.
    double best_temperature() const {
        double low = std::log(0.02), high = std::log(50.0);
        while (high - low > 1e-7) {
            const double a = low + (high - low) / 3, b = high - (high - low) / 3;
            (loss(std::exp(a)) < loss(std::exp(b)) ? high : low) =
                loss(std::exp(a)) < loss(std::exp(b)) ? b : a;
        }
        return std::exp((low + high) / 2);
    }
};

/// Labels drawn from softmax(logits / true_temperature); every fifth says no more than "2 or 3".
Problem draw(int count, double true_temperature, bool has_inner, std::uint64_t seed) {
    Problem problem;
    problem.samples.inner = {{2, 3}};
    for (int i = 0; i < count; ++i) {
        base::Random random(seed, i);
        std::vector<double> weights;
        for (std::size_t c = 0; c < classes; ++c) {
            problem.logits.push_back(static_cast<float>(random.uniform(-6, 6)));
            weights.push_back(
                std::exp(static_cast<double>(problem.logits.back()) / true_temperature));
        }
        double place = random.uniform(0, weights[0] + weights[1] + weights[2] + weights[3]);
        std::int32_t label = 0;
        while (label < 3 && place > weights[static_cast<std::size_t>(label)])
            place -= weights[static_cast<std::size_t>(label++)];
        problem.samples.rows.push_back(i);
        problem.samples.labels.push_back(has_inner && i % 5 == 0 && label >= 2 ? 4 : label);
    }
    return problem;
}

TEST(Temperature, is_that_of_the_least_loss) {
    for (const double temperature : {0.4, 1.0, 2.5, 9.0})
        for (const bool has_inner : {false, true}) {
            const auto problem = draw(600, temperature, has_inner, 5);
            const double found = problem.temperature(world());
            EXPECT_NEAR(found / problem.best_temperature(), 1, 1e-5);
            EXPECT_NEAR(found / temperature, 1, 0.35);
        }
}

TEST(Temperature, has_the_same_bits_on_any_number_of_ranks) {
    const auto problem = draw(2300, 2, true, 6);
    EXPECT_EQ(problem.temperature(world()), problem.temperature(comm::Communicator::self()));
    const auto few = draw(2, 2, false, 6);
    EXPECT_EQ(few.temperature(world()), few.temperature(comm::Communicator::self()));
}

TEST(Temperature, stays_where_nothing_is_wrong_or_known) {
    Problem right{.logits = {3, 0, 0, 1, 0, 2, 0, 0}, .samples = {}};
    EXPECT_EQ(fit_temperature({}, {}, world()), 1);
    right.samples = {.rows = {0, 1}, .labels = {0, 1}};
    EXPECT_EQ(right.temperature(world()), 1);
    // Wrong every time: the less is said, the better.
    right.samples.labels = {1, 0};
    EXPECT_EQ(right.temperature(world()), 100);
}

TEST(Temperature, lowers_the_calibration_error_of_a_network_that_is_too_sure) {
    const auto problem = draw(5000, 3, false, 7);
    const auto mine = problem.mine(world());
    const double temperature = problem.temperature(world());
    const auto error = [&](double value) {
        return compute_metrics(judge_logits(mine, value, problem.samples, nullptr, world()),
                               static_cast<int>(classes))
            .calibration_error;
    };
    EXPECT_GT(error(1), 0.1);
    EXPECT_LT(error(temperature), 0.03);
}

TEST(Softmax, takes_the_temperature) {
    std::vector<float> values = {1, 3, 1000, -1000};
    softmax(values, 2, 2);
    EXPECT_NEAR(values[1], 1 / (1 + std::exp(-1.0)), 1e-6);
    EXPECT_EQ(values[2], 1);
}

}  // namespace
}  // namespace nanoatlas::nn
