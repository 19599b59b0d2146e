// Weights between the caller's order [out, in, height, width] in f32 and the packed one.
#include "kernels/cudnn/element.cuh"
#include "kernels/cudnn/kernels.hpp"

namespace nanoatlas::kernels::cudnn {
namespace {

/// Sizes of a tensor of weights, and the caller's place of an element that lies at i when packed.
struct WeightOrder {
    std::int64_t outputs, inputs, height, width;

    explicit WeightOrder(const ConvolutionShape& shape)
        : outputs(shape.output.channels),
          inputs(shape.input.channels / shape.groups),
          height(shape.window.height),
          width(shape.window.width) {}
    std::int64_t count() const { return outputs * per_output(); }
    __host__ __device__ std::int64_t per_output() const { return inputs * height * width; }
    __device__ std::int64_t given(std::int64_t i) const {
        const auto input = i % inputs, tap = i / inputs % (height * width);
        return (i / per_output() * inputs + input) * height * width + tap;
    }
};

/// A Folding as a kernel takes it.
struct DeviceFolding {
    bool has_norm;
    NormTensors norm;
    const float* scale;

    explicit DeviceFolding(const Folding& folding)
        : has_norm(folding.norm.has_value()),
          norm(folding.norm.value_or(NormTensors{})),
          scale(folding.scale) {}
    __device__ double factor(std::int64_t output) const {
        return norm.gamma[output] / sqrt(norm.variance[output] + norm.eps);
    }
};

}  // namespace

template <class T>
void pack_weights(const ConvolutionShape& shape, const float* weights, const Folding& folding,
                  T* packed, cudaStream_t stream) {
    const WeightOrder order(shape);
    const DeviceFolding by(folding);
    for_each(
        order.count(),
        [=] __device__(std::int64_t i) {
            const auto output = i / order.per_output();
            float weight = weights[order.given(i)];
            if (by.has_norm) weight = static_cast<float>(weight * by.factor(output));
            if (by.scale != nullptr) weight *= by.scale[output];
            store(weight, packed[i]);
        },
        stream);
}

void pack_bias(std::int64_t channels, const float* given, const Folding& folding, float* bias,
               cudaStream_t stream) {
    const DeviceFolding by(folding);
    for_each(
        channels,
        [=] __device__(std::int64_t i) {
            float value = given == nullptr ? 0.0F : given[i];
            if (by.has_norm)
                value =
                    static_cast<float>((value - by.norm.mean[i]) * by.factor(i) + by.norm.beta[i]);
            if (by.scale != nullptr) value *= by.scale[i];
            bias[i] = value;
        },
        stream);
}

template <class T>
void unpack_gradient(const ConvolutionShape& shape, const T* packed, float* dweights,
                     cudaStream_t stream) {
    const WeightOrder order(shape);
    for_each(
        order.count(),
        [=] __device__(std::int64_t i) { dweights[order.given(i)] = load(packed[i]); }, stream);
}

#define NANOATLAS_INSTANTIATE(T)                                                          \
    template void pack_weights(const ConvolutionShape&, const float*, const Folding&, T*, \
                               cudaStream_t);                                             \
    template void unpack_gradient(const ConvolutionShape&, const T*, float*, cudaStream_t);

NANOATLAS_INSTANTIATE(float)
NANOATLAS_INSTANTIATE(__nv_bfloat16)

}  // namespace nanoatlas::kernels::cudnn
