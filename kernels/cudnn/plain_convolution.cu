// Convolutions straight from their definition: slow, for any shape.
#include "kernels/cudnn/block.cuh"
#include "kernels/cudnn/element.cuh"
#include "kernels/cudnn/kernels.hpp"
#include "kernels/cudnn/window.cuh"

namespace nanoatlas::kernels::cudnn {
namespace {

/// Sizes that all three passes need.
struct Sizes {
    ImageShape in, out;
    WindowPlane plane;
    std::int64_t group_inputs, group_outputs;

    explicit Sizes(const ConvolutionShape& shape)
        : in(shape.input),
          out(shape.output),
          plane(shape.input, shape.output, shape.window),
          group_inputs(shape.input.channels / shape.groups),
          group_outputs(shape.output.channels / shape.groups) {}
    std::int64_t weights() const {
        return out.channels * plane.rows.taps * plane.columns.taps * group_inputs;
    }
    __device__ std::int64_t weight(std::int64_t output, std::int64_t r, std::int64_t s,
                                   std::int64_t input) const {
        return ((output * plane.rows.taps + r) * plane.columns.taps + s) * group_inputs + input;
    }
};

constexpr int block = 32;

/// One block a weight; its threads share the output's pixels.
template <class T>
__global__ void sum_weight_gradient(Sizes sizes, const T* x, const T* dy, T* dweights) {
    const auto &rows = sizes.plane.rows, &columns = sizes.plane.columns;
    const std::int64_t i = blockIdx.x;
    const auto input = i % sizes.group_inputs, tap = i / sizes.group_inputs;
    const auto s = tap % columns.taps, r = tap / columns.taps % rows.taps;
    const auto output = tap / columns.taps / rows.taps;
    const auto channel = output / sizes.group_outputs * sizes.group_inputs + input;
    double sum = 0;
    for (std::int64_t p = threadIdx.x; p < sizes.out.rows(); p += block) {
        const auto column = columns.input(p % columns.out, s);
        const auto row = rows.input(p / columns.out % rows.out, r);
        const auto sample = p / columns.out / rows.out;
        if (row >= 0 && column >= 0)
            sum += load(dy[p * sizes.out.channels + output]) *
                   load(x[element(sizes.in, sample, row, column, channel)]);
    }
    sum = sum_of_block<block>(sum);
    if (threadIdx.x == 0) store(static_cast<float>(sum), dweights[i]);
}

}  // namespace

template <class T>
void plain_forward(const ConvolutionShape& shape, const T* x, const T* weights, T* y,
                   cudaStream_t stream) {
    const Sizes sizes(shape);
    for_each(
        shape.output.elements(),
        [=] __device__(std::int64_t i) {
            const Place out(sizes.out, i);
            const auto first = out.channel / sizes.group_outputs * sizes.group_inputs;
            float sum = 0;
            sizes.plane.for_inputs(out.y, out.x, [&](auto r, auto s, auto row, auto column) {
                const T* const in = x + element(sizes.in, out.sample, row, column, first);
                const T* const by = weights + sizes.weight(out.channel, r, s, 0);
                for (std::int64_t c = 0; c < sizes.group_inputs; ++c)
                    sum += load(in[c]) * load(by[c]);
            });
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
            const Place in(sizes.in, i);
            const auto first = in.channel / sizes.group_inputs * sizes.group_outputs;
            float sum = 0;
            sizes.plane.for_outputs(in.y, in.x, [&](auto r, auto s, auto row, auto column) {
                const T* const gradient = dy + element(sizes.out, in.sample, row, column, 0);
                for (auto k = first; k < first + sizes.group_outputs; ++k)
                    sum += load(gradient[k]) *
                           load(weights[sizes.weight(k, r, s, in.channel % sizes.group_inputs)]);
            });
            store(sum, dx[i]);
        },
        stream);
}

template <class T>
void plain_backward_weights(const ConvolutionShape& shape, const T* x, const T* dy, T* dweights,
                            cudaStream_t stream) {
    const Sizes sizes(shape);
    launch(sum_weight_gradient<T>, {static_cast<unsigned>(sizes.weights()), block}, stream, sizes,
           x, dy, dweights);
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
