#include "nn/weight_rounding.hpp"

#include <cblas.h>

#include <algorithm>
#include <cmath>

namespace nanoatlas::nn {
namespace {

std::size_t index(std::int64_t i) {
    return static_cast<std::size_t>(i);
}

/// Sums of so many products of two integers below 256 are exact in f32.
constexpr std::int64_t exact_rows = 256;

/// One output's weights, in steps.
class Row {
  public:
    Row(std::span<const float> wanted, float step, std::int64_t area,
        const kernels::WeightBounds& bounds, std::span<std::int8_t> rounded)
        : wanted_(wanted), step_(step), area_(area), bounds_(bounds), rounded_(rounded) {
        for (std::size_t i = 0; i < wanted.size(); ++i)
            rounded_[i] = static_cast<std::int8_t>(std::nearbyint(wanted[i] / step_));
    }

    /// By the covariances of the blocks of a group's inputs; returns the mean of what the errors
    /// that are left add to the output, in steps of weights and input.
    double round(const std::vector<std::vector<double>>& covariances, const Moments& moments,
                 std::int64_t group) {
        std::int64_t first = 0;
        for (const auto& covariance : covariances) {
            const auto extent = std::min(moments.block(), moments.inputs() - first);
            descend(first, extent, covariance);
            first += extent;
        }
        double mean = 0;
        for (std::int64_t i = 0; i < moments.inputs(); ++i)
            mean += error(i) * moments.mean(group, i);
        return mean;
    }

  private:
    double error(std::int64_t i) const {
        return rounded_[index(i)] - static_cast<double>(wanted_[index(i)]) / step_;
    }

    /// Moves the weights [first, first + extent) by which the covariance's form of their errors
    /// falls, one at a time, until none is left to move.
    void descend(std::int64_t first, std::int64_t extent, const std::vector<double>& covariance) {
        std::vector<double> slope(index(extent), 0);
        const auto move = [&](std::int64_t i, double by) {
            const double* const column = covariance.data() + i * extent;
            for (std::int64_t j = 0; j < extent; ++j) slope[index(j)] += by * column[j];
        };
        for (std::int64_t i = 0; i < extent; ++i) move(i, error(first + i));
        constexpr int sweeps = 4;
        bool moved = true;
        for (int sweep = 0; sweep < sweeps && moved; ++sweep) {
            moved = false;
            for (std::int64_t i = 0; i < extent; ++i) {
                const double variance = covariance[index(i * extent + i)];
                if (variance <= 0) continue;
                const int old = int{rounded_[index(first + i)]};
                const int best =
                    bounded(first + i, std::nearbyint(old - slope[index(i)] / variance));
                if (best == old) continue;
                rounded_[index(first + i)] = static_cast<std::int8_t>(best);
                move(i, best - old);
                moved = true;
            }
        }
    }

    int bounded(std::int64_t i, double value) const {
        const auto partner = i / area_ % 2 == 0 ? i + area_ : i - area_;
        const int other = partner < std::ssize(rounded_) ? rounded_[index(partner)] : 0;
        const int low = std::max(-bounds_.single, other < 0 ? -bounds_.pair - other : -128);
        const int high = std::min(bounds_.single, other > 0 ? bounds_.pair - other : 127);
        return static_cast<int>(std::clamp<double>(value, low, high));
    }

    std::span<const float> wanted_;
    float step_;
    std::int64_t area_;
    const kernels::WeightBounds& bounds_;
    std::span<std::int8_t> rounded_;
};

/// By block of a group's inputs.
std::vector<std::vector<double>> covariances_of(const Moments& moments, std::int64_t group) {
    std::vector<std::vector<double>> covariances;
    for (std::int64_t first = 0; first < moments.inputs(); first += moments.block())
        covariances.push_back(
            moments.covariance(group, first, std::min(moments.block(), moments.inputs() - first)));
    return covariances;
}

}  // namespace

Moments::Moments(const kernels::ConvolutionShape& shape, const ChannelFormat& x)
    : shape_(shape),
      x_(x),
      inputs_(shape.input.channels / shape.groups * shape.window.height * shape.window.width) {
    const auto blocks = (inputs_ + most - 1) / most;
    block_ = (inputs_ + blocks - 1) / blocks;
    sums_.assign(index(shape.groups * inputs_), 0);
    products_.assign(index(shape.groups * blocks * block_ * block_), 0);
}

std::size_t Moments::products_at(std::int64_t group, std::int64_t first) const {
    const auto blocks = (inputs_ + block_ - 1) / block_;
    return index((group * blocks + first / block_) * block_ * block_);
}

void Moments::quantise(std::span<const float> images) {
    const auto channels = index(shape_.input.channels);
    const bool is_signed = x_.format.element == kernels::Element::s8;
    const float low = is_signed ? -127 : 0, high = is_signed ? 127 : 255;
    std::vector<float> factors(channels), shifts(channels);
    for (std::size_t c = 0; c < channels; ++c) {
        factors[c] = 1 / (x_.format.scale * x_.factor(c));
        shifts[c] = x_.shift(c);
    }
    integers_.resize(images.size());
    const auto rows = images.size() / channels;
#pragma omp parallel for schedule(static)
    for (std::size_t row = 0; row < rows; ++row)
#pragma omp simd
        for (std::size_t c = 0; c < channels; ++c) {
            const float value = (images[row * channels + c] - shifts[c]) * factors[c];
            integers_[row * channels + c] = std::nearbyint(std::min(std::max(value, low), high));
        }
}

void Moments::gather(std::int64_t sample, std::int64_t place, std::int64_t group,
                     float* row) const {
    const auto& window = shape_.window;
    const auto& input = shape_.input;
    const auto channels = input.channels / shape_.groups, area = window.height * window.width;
    const auto top = place / shape_.output.width * window.stride_y - window.top;
    const auto left = place % shape_.output.width * window.stride_x - window.left;
    for (std::int64_t at = 0; at < area; ++at) {
        const auto y = top + at / window.width * window.dilation_y;
        const auto x = left + at % window.width * window.dilation_x;
        const bool inside = y >= 0 && y < input.height && x >= 0 && x < input.width;
        const float* const pixel =
            inside ? integers_.data() +
                         ((sample * input.height + y) * input.width + x) * input.channels +
                         group * channels
                   : nullptr;
        for (std::int64_t c = 0; c < channels; ++c) row[c * area + at] = inside ? pixel[c] : 0;
    }
}

void Moments::add_rows(std::int64_t group, std::span<const std::int64_t> places) {
    const auto pixels = shape_.output.height * shape_.output.width;
    const auto rows = std::ssize(places);
    std::vector<float> values(index(rows * inputs_)), square(index(block_ * block_));
    for (std::int64_t row = 0; row < rows; ++row)
        gather(places[index(row)] / pixels, places[index(row)] % pixels, group,
               values.data() + row * inputs_);
    for (std::int64_t row = 0; row < rows; ++row)
        for (std::int64_t i = 0; i < inputs_; ++i)
            sums_[index(group * inputs_ + i)] += values[index(row * inputs_ + i)];
    for (std::int64_t first = 0; first < inputs_; first += block_) {
        const auto extent = std::min(block_, inputs_ - first);
        cblas_ssyrk(CblasRowMajor, CblasUpper, CblasTrans, static_cast<int>(extent),
                    static_cast<int>(rows), 1, values.data() + first, static_cast<int>(inputs_), 0,
                    square.data(), static_cast<int>(extent));
        double* const to = products_.data() + products_at(group, first);
        for (std::int64_t i = 0; i < extent; ++i)
            for (std::int64_t j = i; j < extent; ++j)
                to[i * extent + j] += square[index(i * extent + j)];
    }
}

void Moments::add(std::span<const float> images) {
    quantise(images);
    const auto pixels = shape_.output.height * shape_.output.width;
    const auto elements = shape_.input.height * shape_.input.width * shape_.input.channels;
    const auto samples = std::ssize(images) / elements;
    // Fewer where there is less to tell apart.
    const auto per_sample = std::min<std::int64_t>(pixels, shape_.groups > 1 ? 16 : 64);
    std::vector<std::int64_t> places;
    for (std::int64_t sample = 0; sample < samples; ++sample)
        for (std::int64_t i = 0; i < per_sample; ++i)
            places.push_back(sample * pixels + i * pixels / per_sample);
    count_ += std::ssize(places);
    for (std::int64_t first = 0; first < std::ssize(places); first += exact_rows) {
        const auto some = std::span(places).subspan(
            index(first), index(std::min(exact_rows, std::ssize(places) - first)));
#pragma omp parallel for schedule(static) if (shape_.groups > 1)
        for (std::int64_t group = 0; group < shape_.groups; ++group) add_rows(group, some);
    }
    integers_ = {};
}

void Moments::sum(const comm::Communicator& comm) {
    comm.sum(std::span(sums_));
    comm.sum(std::span(products_));
    count_ = comm.sum(count_);
}

double Moments::mean(std::int64_t group, std::int64_t input) const {
    return sums_[index(group * inputs_ + input)] / static_cast<double>(count_);
}

std::vector<double> Moments::covariance(std::int64_t group, std::int64_t first,
                                        std::int64_t extent) const {
    const double* const from = products_.data() + products_at(group, first);
    std::vector<double> covariance(index(extent * extent));
    for (std::int64_t i = 0; i < extent; ++i)
        for (std::int64_t j = i; j < extent; ++j)
            covariance[index(i * extent + j)] = covariance[index(j * extent + i)] =
                from[i * extent + j] / static_cast<double>(count_) -
                mean(group, first + i) * mean(group, first + j);
    return covariance;
}

RoundedWeights round_weights(const kernels::ConvolutionShape& shape, std::span<const float> weights,
                             std::span<const float> bias, const Moments& moments,
                             const kernels::WeightBounds& bounds) {
    const auto& x = moments.format();
    const auto inputs = moments.inputs(), outputs = shape.output.channels;
    const auto per_group = outputs / shape.groups, channels = shape.input.channels / shape.groups;
    const auto area = shape.window.height * shape.window.width;
    std::vector<float> wanted(weights.begin(), weights.end());
    RoundedWeights rounded{.weights = {.values = std::vector<std::int8_t>(weights.size()),
                                       .scales = std::vector<float>(index(outputs))},
                           .bias = std::vector<float>(index(outputs))};
    for (std::int64_t group = 0; group < shape.groups; ++group) {
        const auto covariances = covariances_of(moments, group);
#pragma omp parallel for schedule(dynamic)
        for (std::int64_t output = group * per_group; output < (group + 1) * per_group; ++output) {
            const auto begin = index(output * inputs), length = index(inputs);
            const auto row = std::span(wanted).subspan(begin, length);
            double shift = bias.empty() ? 0 : bias[index(output)];
            for (std::int64_t i = 0; i < inputs; ++i) {
                const auto channel = index(group * channels + i / area);
                shift += static_cast<double>(row[index(i)]) * x.shift(channel);
                row[index(i)] *= x.factor(channel);
            }
            const float step = kernels::weight_step(row, index(area), bounds);
            Row steps(row, step, area, bounds,
                      std::span(rounded.weights.values).subspan(begin, length));
            const double error = steps.round(covariances, moments, group);
            rounded.weights.scales[index(output)] = step;
            rounded.bias[index(output)] = static_cast<float>(
                shift - error * static_cast<double>(step) * static_cast<double>(x.format.scale));
        }
    }
    return rounded;
}

}  // namespace nanoatlas::nn
