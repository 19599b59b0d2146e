#include <stdexcept>

#include "kernels/cudnn/element.cuh"
#include "kernels/cudnn/kernels.hpp"
#include "kernels/cudnn/rows.cuh"

namespace nanoatlas::kernels::cudnn {
namespace {

/// The key that holds in this step.
__device__ DropoutKey key_now(const DeviceKey& key) {
    return {key.step->stream + key.distance.stream,
            key.step->first_sample + key.distance.first_sample, key.distance.probability};
}

__device__ float sample_scale_now(const DeviceKey& key, std::int64_t sample) {
    return key.distance.probability == 0 ? 1.0F
                                         : static_cast<float>(sample_scale(key_now(key), sample));
}

template <int V, class T>
__device__ void sum_parts(const Parts& parts, std::int64_t first, float (&sum)[V]) {
    for (int v = 0; v < V; ++v) sum[v] = 0;
    for (int part = 0; part < parts.count; ++part) {
        const auto values = load_vector<V>(static_cast<const T*>(parts.at[part]) + first);
        for (int v = 0; v < V; ++v) sum[v] += load(values.at[v]);
    }
}

/// y = activation(y + bias + addend).
template <class T, int V>
struct ConvolutionEnd {
    static constexpr int rows_at_once = 4;
    struct Loaded {
        Vector<T, V> in, more;
    };
    const float* bias;
    const T* addend;
    Activation activation;
    T* y;

    __device__ Loaded load(std::int64_t element) const {
        Loaded loaded = {};
        loaded.in = load_vector<V>(y + element);
        if (addend != nullptr) loaded.more = load_vector<V>(addend + element);
        return loaded;
    }
    __device__ Vector<float, V> by_channel(std::int64_t channel) const {
        Vector<float, V> of_channel;
        load_floats(bias, channel, of_channel.at);
        return of_channel;
    }
    __device__ void use(const Loaded& loaded, const Vector<float, V>& of_channel,
                        std::int64_t element) const {
        Vector<T, V> out;
        for (int v = 0; v < V; ++v)
            store(activate(cudnn::load(loaded.in.at[v]) + cudnn::load(loaded.more.at[v]) +
                               of_channel.at[v],
                           activation),
                  out.at[v]);
        store_vector<V>(out, y + element);
    }
};

}  // namespace

Parts::Parts(Addends addends) : at{}, count(static_cast<int>(addends.size())) {
    if (addends.size() > most) throw std::invalid_argument("too many addends for one kernel");
    std::copy(addends.begin(), addends.end(), at.begin());
}

template <class T>
void import_images(const float* from, const ImageShape& shape, T* to, cudaStream_t stream) {
    const auto pixels = shape.height * shape.width, channels = shape.channels;
    for_each(
        shape.elements(),
        [=] __device__(std::int64_t i) {
            const auto channel = i % channels, pixel = i / channels;
            store(from[(pixel / pixels * channels + channel) * pixels + pixel % pixels], to[i]);
        },
        stream);
}

template <class T>
void export_images(const T* from, const ImageShape& shape, float* to, cudaStream_t stream) {
    const auto pixels = shape.height * shape.width, channels = shape.channels;
    for_each(
        shape.elements(),
        [=] __device__(std::int64_t i) {
            const auto pixel = i % pixels, plane = i / pixels;
            to[i] = load(from[(plane / channels * pixels + pixel) * channels + plane % channels]);
        },
        stream);
}

template <class T>
void add(const Parts& parts, Activation activation, std::int64_t elements, T* y,
         cudaStream_t stream) {
    for_each_vector<T>(
        elements, elements,
        [=] __device__(auto length, std::int64_t i) {
            constexpr int V = decltype(length)::value;
            float sum[V];
            sum_parts<V, T>(parts, i * V, sum);
            Vector<T, V> out;
            for (int v = 0; v < V; ++v) store(activate(sum[v], activation), out.at[v]);
            store_vector<V>(out, y + i * V);
        },
        stream);
}

template <class T>
void activation_backward(const Parts& gradients, const T* y, Activation activation,
                         std::int64_t elements, T* dx, cudaStream_t stream) {
    for_each_vector<T>(
        elements, elements,
        [=] __device__(auto length, std::int64_t i) {
            constexpr int V = decltype(length)::value;
            float sum[V];
            sum_parts<V, T>(gradients, i * V, sum);
            Vector<T, V> at = {}, out;
            if (y != nullptr) at = load_vector<V>(y + i * V);
            for (int v = 0; v < V; ++v)
                store(pass_on(sum[v], load(at.at[v]), activation), out.at[v]);
            store_vector<V>(out, dx + i * V);
        },
        stream);
}

template <class T>
void finish_convolution(const float* bias, const T* addend, Activation activation,
                        std::int64_t rows, std::int64_t channels, T* y, cudaStream_t stream) {
    for_each_row<T>(
        rows, channels,
        [&]<int V>() {
            return ConvolutionEnd<T, V>{bias, addend, activation, y};
        },
        stream);
}

template <class T>
void copy_channels(const T* from, std::int64_t from_channels, std::int64_t from_first, T* to,
                   std::int64_t to_channels, std::int64_t to_first, std::int64_t channels,
                   std::int64_t rows, cudaStream_t stream) {
    const auto together = from_channels | from_first | to_channels | to_first | channels;
    for_each_vector<T>(
        together, rows * channels,
        [=] __device__(auto length, std::int64_t i) {
            constexpr int V = decltype(length)::value;
            const auto row = i / (channels / V), channel = i % (channels / V) * V;
            store_vector<V>(load_vector<V>(from + row * from_channels + from_first + channel),
                            to + row * to_channels + to_first + channel);
        },
        stream);
}

template <class T>
void dropout(const T* x, const ImageShape& shape, const DeviceKey& key, T* y, cudaStream_t stream) {
    const auto size = shape.height * shape.width * shape.channels;
    const auto factor = static_cast<float>(1 / (1 - key.distance.probability));
    for_each(
        shape.elements(),
        [=] __device__(std::int64_t i) {
            const bool kept = dropout_keeps(key_now(key), i / size, i % size);
            store(kept ? load(x[i]) * factor : 0.0F, y[i]);
        },
        stream);
}

template <class T>
void gelu(const T* x, std::int64_t elements, T* y, cudaStream_t stream) {
    for_each(
        elements,
        [=] __device__(std::int64_t i) { store(activate(load(x[i]), Activation::gelu), y[i]); },
        stream);
}

template <class T>
void gelu_backward(const T* dy, const T* x, std::int64_t elements, T* dx, cudaStream_t stream) {
    for_each(
        elements,
        [=] __device__(std::int64_t i) {
            const float at = load(x[i]);
            const float below = 0.5F * erfcf(-at * 0.70710678118654752F);
            const float density = 0.39894228040143268F * expf(-0.5F * at * at);
            store(load(dy[i]) * (below + at * density), dx[i]);
        },
        stream);
}

template <class T>
void scale(const T* x, const T* addend, const ImageShape& shape, const float* by_channel,
           const DeviceKey& depth, T* y, cudaStream_t stream) {
    const auto channels = shape.channels, size = shape.height * shape.width * channels;
    for_each_vector<T>(
        channels, shape.elements(),
        [=] __device__(auto length, std::int64_t i) {
            constexpr int V = decltype(length)::value;
            const auto first = i * V, channel = first % channels;
            const float by_sample = sample_scale_now(depth, first / size);
            const auto in = load_vector<V>(x + first);
            Vector<T, V> more = {}, out;
            if (addend != nullptr) more = load_vector<V>(addend + first);
            for (int v = 0; v < V; ++v) {
                const float by = by_channel == nullptr ? 1.0F : by_channel[channel + v];
                store(load(in.at[v]) * by * by_sample + load(more.at[v]), out.at[v]);
            }
            store_vector<V>(out, y + first);
        },
        stream);
}

#define NANOATLAS_INSTANTIATE(T)                                                                   \
    template void import_images(const float*, const ImageShape&, T*, cudaStream_t);                \
    template void export_images(const T*, const ImageShape&, float*, cudaStream_t);                \
    template void add(const Parts&, Activation, std::int64_t, T*, cudaStream_t);                   \
    template void activation_backward(const Parts&, const T*, Activation, std::int64_t, T*,        \
                                      cudaStream_t);                                               \
    template void finish_convolution(const float*, const T*, Activation, std::int64_t,             \
                                     std::int64_t, T*, cudaStream_t);                              \
    template void copy_channels(const T*, std::int64_t, std::int64_t, T*, std::int64_t,            \
                                std::int64_t, std::int64_t, std::int64_t, cudaStream_t);           \
    template void dropout(const T*, const ImageShape&, const DeviceKey&, T*, cudaStream_t);        \
    template void gelu(const T*, std::int64_t, T*, cudaStream_t);                                  \
    template void gelu_backward(const T*, const T*, std::int64_t, T*, cudaStream_t);               \
    template void scale(const T*, const T*, const ImageShape&, const float*, const DeviceKey&, T*, \
                        cudaStream_t);

NANOATLAS_INSTANTIATE(float)
NANOATLAS_INSTANTIATE(__nv_bfloat16)

}  // namespace nanoatlas::kernels::cudnn
