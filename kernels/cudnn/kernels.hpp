// Our own kernels on the GPU: all that is not a convolution. Meanings are those of kernels/cnn.hpp;
// T = float or __nv_bfloat16, all addresses on the device, all work on the given stream.
#pragma once

#include <cuda_bf16.h>
#include <cuda_runtime_api.h>

#include <array>
#include <cstdint>

#include "kernels/cnn.hpp"
#include "kernels/cudnn/chunks.hpp"
#include "kernels/cudnn/reduction.hpp"

namespace nanoatlas::kernels::cudnn {

/// Addends as a kernel takes them: by value.
struct Parts {
    static constexpr std::size_t most = 128;
    std::array<const void*, most> at;
    int count = 0;

    /// throws std::invalid_argument for more than `most`
    explicit Parts(Addends addends);
};

/// What a recorded step reads anew each time: see Backend::set_step().
struct StepNumbers {
    std::uint64_t stream = 0;
    std::int64_t first_sample = 0;
};
/// A key of dropout as its distance to the step's numbers, which lie on the device.
struct DeviceKey {
    DropoutKey distance;
    const StepNumbers* step;
};

// elementwise.cu
template <class T>
void import_images(const float* from, const ImageShape& shape, T* to, cudaStream_t stream);
template <class T>
void export_images(const T* from, const ImageShape& shape, float* to, cudaStream_t stream);
template <class T>
void add(const Parts& parts, Activation activation, std::int64_t elements, T* y,
         cudaStream_t stream);
template <class T>
void activation_backward(const Parts& gradients, const T* y, Activation activation,
                         std::int64_t elements, T* dx, cudaStream_t stream);
/// y = activation(y + bias + addend) in place; bias and addend may be null.
template <class T>
void finish_convolution(const float* bias, const T* addend, Activation activation,
                        std::int64_t rows, std::int64_t channels, T* y, cudaStream_t stream);
template <class T>
void copy_channels(const T* from, std::int64_t from_channels, std::int64_t from_first, T* to,
                   std::int64_t to_channels, std::int64_t to_first, std::int64_t channels,
                   std::int64_t rows, cudaStream_t stream);
template <class T>
void dropout(const T* x, const ImageShape& shape, const DeviceKey& key, T* y, cudaStream_t stream);
template <class T>
void gelu(const T* x, std::int64_t elements, T* y, cudaStream_t stream);
template <class T>
void gelu_backward(const T* dy, const T* x, std::int64_t elements, T* dx, cudaStream_t stream);
/// depth: of stochastic depth; by_channel and addend may be null.
template <class T>
void scale(const T* x, const T* addend, const ImageShape& shape, const float* by_channel,
           const DeviceKey& depth, T* y, cudaStream_t stream);

// pooling.cu
/// places: where in its window each maximum was, for the backward pass; null in evaluation.
template <class T>
void max_pool(const PoolShape& shape, const T* x, T* y, std::uint16_t* places, cudaStream_t stream);
template <class T>
void max_pool_backward(const PoolShape& shape, const T* dy, const std::uint16_t* places, T* dx,
                       cudaStream_t stream);
template <class T>
void average_pool(const PoolShape& shape, const T* x, T* y, cudaStream_t stream);
template <class T>
void average_pool_backward(const PoolShape& shape, const T* dy, T* dx, cudaStream_t stream);
template <class T>
void adaptive_average(const T* x, const ImageShape& input, const ImageShape& output, T* y,
                      cudaStream_t stream);
template <class T>
void adaptive_average_backward(const T* dy, const ImageShape& input, const ImageShape& output,
                               T* dx, cudaStream_t stream);

// norm.cu. partial: [reduction.splits, 2, channels] on the device; sums [2, channels], then rows.
struct NormTask {
    std::int64_t rows, channels;
    Reduction reduction;
    double* partial;
    double* sums;
};
template <class T>
void norm_sums(const NormTask& task, const T* x, cudaStream_t stream);
/// [channels] each, on the device.
struct NormState {
    float *mean, *inverse, *scale, *shift, *by_input, *constant;
};
/// y null, of one gradient and without g: the norm's output is made again of x, which is right
/// where nothing was added to it. g null: not stored.
template <class T>
void norm_backward_sums(const NormTask& task, const Parts& gradients, const T* y, const T* x,
                        const NormState& state, Activation activation, T* g, cudaStream_t stream);
template <class T>
void norm_apply(const T* x, const T* addend, std::int64_t rows, std::int64_t channels,
                const NormState& state, Activation activation, T* y, cudaStream_t stream);
/// activation: that g has yet to pass, the output made again of x; none if it has.
template <class T>
void norm_backward_data(const T* g, const T* x, std::int64_t rows, std::int64_t channels,
                        const NormState& state, Activation activation, T* dx, cudaStream_t stream);
/// Sums of dy by channel; dbias [channels].
template <class T>
void bias_gradient(const NormTask& task, const T* dy, float* dbias, cudaStream_t stream);
/// dby_channel [channels] = sum of dy * x * (the sample's scale).
template <class T>
void scale_gradient(const NormTask& task, const T* dy, const T* x, std::int64_t pixels,
                    const DeviceKey& depth, float* dby_channel, cudaStream_t stream);
template <class T>
void layer_norm(const T* x, std::int64_t rows, std::int64_t channels,
                const LayerNormCoefficients& by, T* y, cudaStream_t stream);
/// statistics: [rows, 2] on the device; dx may be null, or dy.
template <class T>
void layer_norm_backward(const NormTask& task, const T* dy, const T* x,
                         const LayerNormCoefficients& by, float* statistics, T* dx, float* dweight,
                         float* dbias, cudaStream_t stream);

// norm_channels.cu: one thread a channel.
void norm_statistics(const BatchNormShape& shape, const double* sums, const float* gamma,
                     const float* beta, float* running_mean, float* running_variance,
                     const NormState& state, cudaStream_t stream);
void norm_running(std::int64_t channels, const NormTensors& norm, const NormState& state,
                  cudaStream_t stream);
/// This rank's part.
void norm_parameter_gradients(std::int64_t channels, const double* sums, const NormState& state,
                              float* dgamma, float* dbeta, cudaStream_t stream);
/// By all ranks' sums.
void norm_data_coefficients(std::int64_t channels, const double* sums, const NormState& state,
                            cudaStream_t stream);

// weights.cu. Packed: [out, height, width, in / groups] of T.
template <class T>
void pack_weights(const ConvolutionShape& shape, const float* weights, const Folding& folding,
                  T* packed, cudaStream_t stream);
/// given may be null: 0.
void pack_bias(std::int64_t channels, const float* given, const Folding& folding, float* bias,
               cudaStream_t stream);
template <class T>
void unpack_gradient(const ConvolutionShape& shape, const T* packed, float* dweights,
                     cudaStream_t stream);

// plain_convolution.cu: for what cuDNN has no plan for; slow, any shape.
template <class T>
void plain_forward(const ConvolutionShape& shape, const T* x, const T* weights, T* y,
                   cudaStream_t stream);
template <class T>
void plain_backward_data(const ConvolutionShape& shape, const T* dy, const T* weights, T* dx,
                         cudaStream_t stream);
template <class T>
void plain_backward_weights(const ConvolutionShape& shape, const T* x, const T* dy, T* dweights,
                            cudaStream_t stream);

// updates.cu
void multiply(const float* x, float factor, std::int64_t count, float* y, cudaStream_t stream);
void accumulate(const float* x, float factor, std::int64_t count, float* sum, cudaStream_t stream);
void approach(const float* x, float part, std::int64_t count, float* average, cudaStream_t stream);
/// partial: [norm_blocks] at most; *factor = shortening() of the gradients' norm.
constexpr std::int64_t norm_blocks = 512;
void find_shortening(std::span<const float> gradients, double longest, double* partial,
                     float* factor, cudaStream_t stream);
/// All on the device; factor may be null: 1; losses too: finite. second null for sgd.
struct UpdateTask {
    UpdateOptions options;
    std::int64_t chunk_count;
    const Chunk* chunks;
    const SliceStep* steps;
    const float* factor;
    const double* losses[most_losses];
};
void update(const UpdateTask& task, const float* gradients, float* parameters, float* first,
            float* second, cudaStream_t stream);

}  // namespace nanoatlas::kernels::cudnn
