// Weights of a convolution rounded to integers so that what it puts out changes least.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "kernels/quantised.hpp"
#include "nn/channel_format.hpp"

namespace nanoatlas::nn {

/// First and second moments of the integers that a convolution reads, over places of its output on
/// the images of a calibration. Sums of integers, so order and ranks do not show.
class Moments {
  public:
    /// x  of the images that it reads; must outlive this
    Moments(const kernels::ConvolutionShape& shape, const ChannelFormat& x);

    /// Of images [samples, height, width, channels] in f32.
    void add(std::span<const float> images);
    /// Over all ranks. Collective.
    void sum(const comm::Communicator& comm);

    /// Inputs of one output, in the order of its weights, lie in blocks of at most this number;
    /// products of two of one block alone are taken.
    static constexpr std::int64_t most = 512;
    std::int64_t inputs() const { return inputs_; }
    std::int64_t block() const { return block_; }
    const ChannelFormat& format() const { return x_; }
    double mean(std::int64_t group, std::int64_t input) const;
    /// Covariance of the inputs [first, first + extent) of a group, [extent, extent].
    std::vector<double> covariance(std::int64_t group, std::int64_t first,
                                   std::int64_t extent) const;

  private:
    void quantise(std::span<const float> images);
    void gather(std::int64_t sample, std::int64_t place, std::int64_t group, float* row) const;
    void add_rows(std::int64_t group, std::span<const std::int64_t> places);
    /// Where the products of a group's block begin; first: its first input.
    std::size_t products_at(std::int64_t group, std::int64_t first) const;

    kernels::ConvolutionShape shape_;
    const ChannelFormat& x_;
    std::int64_t inputs_, block_, count_ = 0;
    std::vector<double> sums_;      // [groups, inputs]
    std::vector<double> products_;  // [groups, blocks, block, block], upper triangles
    std::vector<float> integers_;   // of the images that are being added
};

struct RoundedWeights {
    kernels::QuantisedWeights weights;
    std::vector<float> bias;
};

/// Each weight to one of its neighbours, or farther, so that the variance of what the errors of a
/// row add to its output is least, by coordinate descent; the error of the mean goes into the bias,
/// and so does the input's shift. What a stored input stands for is format.scale * q.
/// Nagel et al., ICML 2020 (the objective); Nagel et al., ICCV 2019 (the bias).
///
/// weights [out, in / groups, height, width], bias [out] or empty
RoundedWeights round_weights(const kernels::ConvolutionShape& shape, std::span<const float> weights,
                             std::span<const float> bias, const Moments& moments,
                             const kernels::WeightBounds& bounds);

}  // namespace nanoatlas::nn
