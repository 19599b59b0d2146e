// Sums over the rows of images by channel, and what is applied row by row after them.
#include "kernels/cudnn/row_sums.cuh"

namespace nanoatlas::kernels::cudnn {
namespace {

void keep_sums(const NormTask& task, cudaStream_t stream) {
    const auto last = 2 * task.channels;
    finish_sums(
        task,
        [=] __device__(std::int64_t i, double sum) {
            task.sums[i] = sum;
            if (i == 0) task.sums[last] = static_cast<double>(task.rows);
        },
        stream);
}

/// x and its square, as distances from the first row's x: their differences are not lost where a
/// channel's mean is large against its deviation.
template <class T, int V>
struct ShiftedSquares {
    const T* x;
    std::int64_t channels;
    __device__ void operator()(std::int64_t row, std::int64_t channel, float (&a)[V],
                               float (&b)[V]) const {
        const auto values = load_vector<V>(x + row * channels + channel);
        const auto origin = load_vector<V>(x + channel);
        for (int v = 0; v < V; ++v) {
            a[v] = load(values.at[v]) - load(origin.at[v]);
            b[v] = a[v] * a[v];
        }
    }
};

template <class T, int V>
struct GradientProducts {
    Parts gradients;
    const T *y, *x;
    const float* mean;
    Activation activation;
    T* g;
    std::int64_t channels;
    __device__ void operator()(std::int64_t row, std::int64_t channel, float (&a)[V],
                               float (&b)[V]) const {
        const auto first = row * channels + channel;
        for (int v = 0; v < V; ++v) a[v] = 0;
        for (int part = 0; part < gradients.count; ++part) {
            const auto values = load_vector<V>(static_cast<const T*>(gradients.at[part]) + first);
            for (int v = 0; v < V; ++v) a[v] += load(values.at[v]);
        }
        if (activation != Activation::none) {
            const auto out = load_vector<V>(y + first);
            for (int v = 0; v < V; ++v) a[v] = pass_on(a[v], load(out.at[v]), activation);
        }
        if (g != nullptr) {
            Vector<T, V> stored;
            for (int v = 0; v < V; ++v) store(a[v], stored.at[v]);
            store_vector<V>(stored, g + first);
        }
        const auto in = load_vector<V>(x + first);
        for (int v = 0; v < V; ++v) b[v] = a[v] * (load(in.at[v]) - mean[channel + v]);
    }
};

/// dy * by_row(row) in a, times x if that is given; nothing in b.
template <class T, int V, class ByRow>
struct ScaledProducts {
    const T *dy, *x;
    ByRow by_row;
    std::int64_t channels;
    __device__ void operator()(std::int64_t row, std::int64_t channel, float (&a)[V],
                               float (&b)[V]) const {
        const auto first = row * channels + channel;
        const auto gradient = load_vector<V>(dy + first);
        Vector<T, V> in = {};
        if (x != nullptr) in = load_vector<V>(x + first);
        const float factor = by_row(row);
        for (int v = 0; v < V; ++v) {
            a[v] = load(gradient.at[v]) * factor * (x != nullptr ? load(in.at[v]) : 1.0F);
            b[v] = 0;
        }
    }
};

}  // namespace

template <class T>
void norm_sums(const NormTask& task, const T* x, cudaStream_t stream) {
    start_sums<T>(
        task,
        [&]<int V>() {
            return ShiftedSquares<T, V>{x, task.channels};
        },
        stream);
    const auto channels = task.channels;
    const auto rows = static_cast<double>(task.rows);
    for_each(
        channels,
        [=] __device__(std::int64_t c) {
            const double origin = load(x[c]);
            const double sum = sum_of_splits(task, c), squares = sum_of_splits(task, channels + c);
            task.sums[c] = sum + rows * origin;
            task.sums[channels + c] = squares + 2 * origin * sum + rows * origin * origin;
            if (c == 0) task.sums[2 * channels] = rows;
        },
        stream);
}

template <class T>
void norm_backward_sums(const NormTask& task, const Parts& gradients, const T* y, const T* x,
                        const float* mean, Activation activation, T* g, cudaStream_t stream) {
    start_sums<T>(
        task,
        [&]<int V>() {
            return GradientProducts<T, V>{gradients, y, x, mean, activation, g, task.channels};
        },
        stream);
    keep_sums(task, stream);
}

template <class T>
void norm_apply(const T* x, const T* addend, std::int64_t rows, std::int64_t channels,
                const float* mean, const float* scale, const float* shift, Activation activation,
                T* y, cudaStream_t stream) {
    for_each_vector<T>(
        channels, rows * channels,
        [=] __device__(auto length, std::int64_t i) {
            constexpr int V = decltype(length)::value;
            const auto first = i * V, channel = first % channels;
            const auto in = load_vector<V>(x + first);
            Vector<T, V> more = {}, out;
            if (addend != nullptr) more = load_vector<V>(addend + first);
            for (int v = 0; v < V; ++v) {
                const auto c = channel + v;
                const float value = (load(in.at[v]) - mean[c]) * scale[c] + shift[c];
                store(activate(value + load(more.at[v]), activation), out.at[v]);
            }
            store_vector<V>(out, y + first);
        },
        stream);
}

template <class T>
void norm_backward_data(const T* g, const T* x, std::int64_t rows, std::int64_t channels,
                        const float* mean, const float* by_gradient, const float* by_input,
                        const float* constant, T* dx, cudaStream_t stream) {
    for_each_vector<T>(
        channels, rows * channels,
        [=] __device__(auto length, std::int64_t i) {
            constexpr int V = decltype(length)::value;
            const auto first = i * V, channel = first % channels;
            const auto gradient = load_vector<V>(g + first), in = load_vector<V>(x + first);
            Vector<T, V> out;
            for (int v = 0; v < V; ++v) {
                const auto c = channel + v;
                store(by_gradient[c] * load(gradient.at[v]) +
                          by_input[c] * (load(in.at[v]) - mean[c]) + constant[c],
                      out.at[v]);
            }
            store_vector<V>(out, dx + first);
        },
        stream);
}

template <class T>
void bias_gradient(const NormTask& task, const T* dy, float* dbias, cudaStream_t stream) {
    const auto one = [] __device__(std::int64_t) { return 1.0F; };
    start_sums<T>(
        task,
        [&]<int V>() {
            return ScaledProducts<T, V, decltype(one)>{dy, nullptr, one, task.channels};
        },
        stream);
    for_each(
        task.channels,
        [=] __device__(std::int64_t c) { dbias[c] = static_cast<float>(sum_of_splits(task, c)); },
        stream);
}

template <class T>
void scale_gradient(const NormTask& task, const T* dy, const T* x, std::int64_t pixels,
                    const DeviceKey& depth, float* dby_channel, cudaStream_t stream) {
    const auto by_row = [=] __device__(std::int64_t row) {
        if (depth.distance.probability == 0) return 1.0F;
        const DropoutKey key{depth.step->stream + depth.distance.stream,
                             depth.step->first_sample + depth.distance.first_sample,
                             depth.distance.probability};
        return static_cast<float>(sample_scale(key, row / pixels));
    };
    start_sums<T>(
        task,
        [&]<int V>() {
            return ScaledProducts<T, V, decltype(by_row)>{dy, x, by_row, task.channels};
        },
        stream);
    for_each(
        task.channels,
        [=] __device__(std::int64_t c) {
            dby_channel[c] = static_cast<float>(sum_of_splits(task, c));
        },
        stream);
}

#define NANOATLAS_INSTANTIATE(T)                                                                   \
    template void norm_sums(const NormTask&, const T*, cudaStream_t);                              \
    template void norm_backward_sums(const NormTask&, const Parts&, const T*, const T*,            \
                                     const float*, Activation, T*, cudaStream_t);                  \
    template void norm_apply(const T*, const T*, std::int64_t, std::int64_t, const float*,         \
                             const float*, const float*, Activation, T*, cudaStream_t);            \
    template void norm_backward_data(const T*, const T*, std::int64_t, std::int64_t, const float*, \
                                     const float*, const float*, const float*, T*, cudaStream_t);  \
    template void bias_gradient(const NormTask&, const T*, float*, cudaStream_t);                  \
    template void scale_gradient(const NormTask&, const T*, const T*, std::int64_t,                \
                                 const DeviceKey&, float*, cudaStream_t);

NANOATLAS_INSTANTIATE(float)
NANOATLAS_INSTANTIATE(__nv_bfloat16)

}  // namespace nanoatlas::kernels::cudnn
