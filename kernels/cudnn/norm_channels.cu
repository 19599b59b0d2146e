// The parts of batch norms that are one number for each channel, by the formulas of
// kernels/reference/batch_norm.cpp.
#include "kernels/cudnn/element.cuh"
#include "kernels/cudnn/kernels.hpp"

namespace nanoatlas::kernels::cudnn {

void norm_statistics(const BatchNormShape& shape, const double* sums, const float* gamma,
                     const float* beta, float* running_mean, float* running_variance,
                     const NormState& state, cudaStream_t stream) {
    const auto channels = shape.image.channels;
    const double eps = shape.eps, momentum = shape.momentum;
    for_each(
        channels,
        [=] __device__(std::int64_t c) {
            const double rows = sums[2 * channels];
            if (rows > 0) {  // else no rank has samples
                const double mean = sums[c] / rows;
                const double square = sums[channels + c] / rows - mean * mean;
                const double variance = square > 0 ? square : 0;
                const double unbiased = variance * rows / (rows > 2 ? rows - 1 : 1);
                state.mean[c] = static_cast<float>(mean);
                state.inverse[c] = static_cast<float>(1 / sqrt(variance + eps));
                running_mean[c] =
                    static_cast<float>((1 - momentum) * running_mean[c] + momentum * mean);
                running_variance[c] =
                    static_cast<float>((1 - momentum) * running_variance[c] + momentum * unbiased);
            }
            state.scale[c] = gamma[c] * state.inverse[c];
            state.shift[c] = beta[c];
        },
        stream);
}

void norm_running(std::int64_t channels, const NormTensors& norm, const NormState& state,
                  cudaStream_t stream) {
    for_each(
        channels,
        [=] __device__(std::int64_t c) {
            state.mean[c] = norm.mean[c];
            state.inverse[c] = static_cast<float>(1 / sqrt(norm.variance[c] + norm.eps));
            state.scale[c] = norm.gamma[c] * state.inverse[c];
            state.shift[c] = norm.beta[c];
        },
        stream);
}

void norm_parameter_gradients(std::int64_t channels, const double* sums, const NormState& state,
                              float* dgamma, float* dbeta, cudaStream_t stream) {
    for_each(
        channels,
        [=] __device__(std::int64_t c) {
            dbeta[c] = static_cast<float>(sums[c]);
            dgamma[c] = static_cast<float>(sums[channels + c] * state.inverse[c]);
        },
        stream);
}

void norm_data_coefficients(std::int64_t channels, const double* sums, const NormState& state,
                            cudaStream_t stream) {
    for_each(
        channels,
        [=] __device__(std::int64_t c) {
            const double rows = sums[2 * channels] > 1 ? sums[2 * channels] : 1;
            const double scale = state.scale[c], inverse = state.inverse[c];
            state.constant[c] = static_cast<float>(-scale * sums[c] / rows);
            state.by_input[c] =
                static_cast<float>(-scale * inverse * inverse * sums[channels + c] / rows);
        },
        stream);
}

}  // namespace nanoatlas::kernels::cudnn
