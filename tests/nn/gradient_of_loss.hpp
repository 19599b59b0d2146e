// A network's gradients against differences of its loss.
#pragma once

#include <gtest/gtest.h>

#include <numeric>
#include <span>
#include <vector>

#include "nn/network.hpp"

namespace nanoatlas::testing {

/// loss    takes a step: gives the loss and leaves its gradients in the network
/// change  of the loss by a way along the gradient, either way: over the loss' rounding, and so
///         short that few kinks are passed
template <class Loss>
void expect_gradients_of_loss(nn::Network& network, const Loss& loss, double change) {
    loss();
    const std::vector<float> gradients(network.gradients().begin(), network.gradients().end());
    for (const auto& slot : network.slots()) {
        const auto gradient = std::span(gradients).subspan(static_cast<std::size_t>(slot.offset),
                                                           static_cast<std::size_t>(slot.size));
        const double square =
            std::inner_product(gradient.begin(), gradient.end(), gradient.begin(), 0.0);
        ASSERT_GT(square, 0) << slot.name;
        const double step = change / square;
        const auto move = [&](double by) {
            const auto parameters = network.parameters();
            for (std::size_t i = 0; i < gradient.size(); ++i)
                parameters[static_cast<std::size_t>(slot.offset) + i] +=
                    static_cast<float>(by * gradient[i]);
        };
        move(step);
        const double above = loss();
        move(-2 * step);
        const double below = loss();
        move(step);
        EXPECT_NEAR((above - below) / (2 * step), square, 0.03 * square) << slot.name;
    }
}

}  // namespace nanoatlas::testing
