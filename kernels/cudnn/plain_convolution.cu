// Convolutions straight from their definition: slow, for any shape.
#include "kernels/cudnn/element.cuh"
#include "kernels/cudnn/kernels.hpp"

namespace nanoatlas::kernels::cudnn {
namespace {

/// Sizes that all three passes need.
struct Sizes {
    ImageShape in, out;
    Window window;
    std::int64_t group_inputs, group_outputs;

    explicit Sizes(const ConvolutionShape& shape)
        : in(shape.input),
          out(shape.output),
          window(shape.window),
          group_inputs(shape.input.channels / shape.groups),
          group_outputs(shape.output.channels / shape.groups) {}
    __device__ std::int64_t weight(std::int64_t output, std::int64_t r, std::int64_t s,
                                   std::int64_t input) const {
        return ((output * window.height + r) * window.width + s) * group_inputs + input;
    }
    /// The input row of an output row and a tap; -1 in the padding. Columns likewise.
    __device__ std::int64_t input_row(std::int64_t y, std::int64_t r) const {
        const auto row = y * window.stride_y - window.top + r * window.dilation_y;
        return row < in.height ? row : -1;
    }
    __device__ std::int64_t input_column(std::int64_t x, std::int64_t s) const {
        const auto column = x * window.stride_x - window.left + s * window.dilation_x;
        return column < in.width ? column : -1;
    }
    /// The output row that reads an input row by a tap; -1 if there is none. Columns likewise.
    __device__ std::int64_t output_row(std::int64_t y, std::int64_t r) const {
        const auto row = y + window.top - r * window.dilation_y;
        if (row < 0 || row % window.stride_y != 0) return -1;
        return row / window.stride_y < out.height ? row / window.stride_y : -1;
    }
    __device__ std::int64_t output_column(std::int64_t x, std::int64_t s) const {
        const auto column = x + window.left - s * window.dilation_x;
        if (column < 0 || column % window.stride_x != 0) return -1;
        return column / window.stride_x < out.width ? column / window.stride_x : -1;
    }
};

__device__ std::int64_t pixel(const ImageShape& shape, std::int64_t sample, std::int64_t y,
                              std::int64_t x) {
    return ((sample * shape.height + y) * shape.width + x) * shape.channels;
}

constexpr int block = 128;

/// One block a weight; its threads share the output's pixels.
template <class T>
__global__ void sum_weight_gradient(Sizes sizes, const T* x, const T* dy, T* dweights) {
    const std::int64_t i = blockIdx.x;
    const auto input = i % sizes.group_inputs;
    const auto s = i / sizes.group_inputs % sizes.window.width;
    const auto r = i / sizes.group_inputs / sizes.window.width % sizes.window.height;
    const auto output = i / sizes.group_inputs / sizes.window.width / sizes.window.height;
    const auto channel = output / sizes.group_outputs * sizes.group_inputs + input;
    double sum = 0;
    for (std::int64_t p = threadIdx.x; p < sizes.out.rows(); p += block) {
        const auto column = sizes.input_column(p % sizes.out.width, s);
        const auto row = sizes.input_row(p / sizes.out.width % sizes.out.height, r);
        const auto sample = p / sizes.out.width / sizes.out.height;
        if (row >= 0 && column >= 0)
            sum += load(dy[p * sizes.out.channels + output]) *
                   load(x[pixel(sizes.in, sample, row, column) + channel]);
    }
    __shared__ double shared[block];
    shared[threadIdx.x] = sum;
    for (int half = block / 2; half > 0; half /= 2) {
        __syncthreads();
        if (static_cast<int>(threadIdx.x) < half) shared[threadIdx.x] += shared[threadIdx.x + half];
    }
    if (threadIdx.x == 0) store(static_cast<float>(shared[0]), dweights[i]);
}

}  // namespace

template <class T>
void plain_forward(const ConvolutionShape& shape, const T* x, const T* weights, T* y,
                   cudaStream_t stream) {
    const Sizes sizes(shape);
    for_each(
        shape.output.elements(),
        [=] __device__(std::int64_t i) {
            const auto output = i % sizes.out.channels, p = i / sizes.out.channels;
            const auto sample = p / sizes.out.width / sizes.out.height;
            const auto first = output / sizes.group_outputs * sizes.group_inputs;
            float sum = 0;
            for (std::int64_t r = 0; r < sizes.window.height; ++r)
                for (std::int64_t s = 0; s < sizes.window.width; ++s) {
                    const auto row = sizes.input_row(p / sizes.out.width % sizes.out.height, r);
                    const auto column = sizes.input_column(p % sizes.out.width, s);
                    if (row < 0 || column < 0) continue;
                    const T* const in = x + pixel(sizes.in, sample, row, column) + first;
                    const T* const by = weights + sizes.weight(output, r, s, 0);
                    for (std::int64_t c = 0; c < sizes.group_inputs; ++c)
                        sum += load(in[c]) * load(by[c]);
                }
            store(sum, y[i]);
        },
        stream);
}

template <class T>
void plain_backward_data(const ConvolutionShape& shape, const T* dy, const T* weights, T* dx,
                         cudaStream_t stream) {
    const Sizes sizes(shape);
    for_each(
        shape.input.elements(),
        [=] __device__(std::int64_t i) {
            const auto channel = i % sizes.in.channels, p = i / sizes.in.channels;
            const auto sample = p / sizes.in.width / sizes.in.height;
            const auto first = channel / sizes.group_inputs * sizes.group_outputs;
            float sum = 0;
            for (std::int64_t r = 0; r < sizes.window.height; ++r)
                for (std::int64_t s = 0; s < sizes.window.width; ++s) {
                    const auto row = sizes.output_row(p / sizes.in.width % sizes.in.height, r);
                    const auto column = sizes.output_column(p % sizes.in.width, s);
                    if (row < 0 || column < 0) continue;
                    const T* const gradient = dy + pixel(sizes.out, sample, row, column);
                    for (auto k = first; k < first + sizes.group_outputs; ++k)
                        sum += load(gradient[k]) *
                               load(weights[sizes.weight(k, r, s, channel % sizes.group_inputs)]);
                }
            store(sum, dx[i]);
        },
        stream);
}

template <class T>
void plain_backward_weights(const ConvolutionShape& shape, const T* x, const T* dy, T* dweights,
                            cudaStream_t stream) {
    const Sizes sizes(shape);
    const auto count =
        shape.output.channels * sizes.group_inputs * shape.window.height * shape.window.width;
    sum_weight_gradient<<<static_cast<unsigned>(count), block, 0, stream>>>(sizes, x, dy, dweights);
    check(cudaGetLastError(), "start a kernel");
}

#define NANOATLAS_INSTANTIATE(T)                                                                \
    template void plain_forward(const ConvolutionShape&, const T*, const T*, T*, cudaStream_t); \
    template void plain_backward_data(const ConvolutionShape&, const T*, const T*, T*,          \
                                      cudaStream_t);                                            \
    template void plain_backward_weights(const ConvolutionShape&, const T*, const T*, T*,       \
                                         cudaStream_t);

NANOATLAS_INSTANTIATE(float)
NANOATLAS_INSTANTIATE(__nv_bfloat16)

}  // namespace nanoatlas::kernels::cudnn
