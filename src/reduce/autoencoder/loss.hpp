// What an autoencoder is trained by: the squared error of what it puts out.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace nanoatlas::reduce {

/// A rank's part of the mean squared error over all values of a batch of all ranks,
/// sum (output - target)^2 / values, and its gradient 2 (output - target) / values. In f64.
///
/// outputs, targets, gradient  of this rank's samples, equally long; may be empty
/// values                      in the batch of all ranks
double squared_error(std::span<const float> outputs, std::span<const float> targets,
                     std::int64_t values, std::span<float> gradient);

/// By row, the squared distance of what was put out from what was meant.
/// outputs, targets: [rows, elements]
std::vector<double> squared_errors(std::span<const float> outputs, std::span<const float> targets,
                                   std::int64_t elements);

}  // namespace nanoatlas::reduce
