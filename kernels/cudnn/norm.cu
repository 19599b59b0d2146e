// Sums over the rows of images by channel, and what is applied row by row after them.
#include "kernels/cudnn/element.cuh"
#include "kernels/cudnn/kernels.hpp"

namespace nanoatlas::kernels::cudnn {
namespace {

constexpr int lanes = static_cast<int>(block_lanes), depth_rows = static_cast<int>(block_rows);
/// Rows that a thread adds up in f32 before its sums go on in f64.
constexpr int rows_in_f32 = 32;

/// Sums of two values a row and channel: values(row, channel, a, b) puts out those of V channels.
/// A block takes lanes * V channels of the rows of one split.
template <int V, class Values>
__global__ void sum_splits(std::int64_t rows, std::int64_t channels, std::int64_t split_rows,
                           Values values, double* partial) {
    __shared__ double shared[2][depth_rows][lanes * V];
    const auto channel =
        (static_cast<std::int64_t>(blockIdx.x) * lanes + static_cast<int>(threadIdx.x)) * V;
    const std::int64_t first = blockIdx.y * split_rows;
    const std::int64_t last = first + split_rows < rows ? first + split_rows : rows;
    double sums[2][V] = {};
    if (channel < channels) {
        std::int64_t row = first + threadIdx.y;
        while (row < last) {
            float a_sum[V] = {}, b_sum[V] = {};
            for (int n = 0; n < rows_in_f32 && row < last; ++n, row += depth_rows) {
                float a[V], b[V];
                values(row, channel, a, b);
                for (int v = 0; v < V; ++v) a_sum[v] += a[v];
                for (int v = 0; v < V; ++v) b_sum[v] += b[v];
            }
            for (int v = 0; v < V; ++v) sums[0][v] += a_sum[v];
            for (int v = 0; v < V; ++v) sums[1][v] += b_sum[v];
        }
    }
    for (int k = 0; k < 2; ++k)
        for (int v = 0; v < V; ++v)
            shared[k][threadIdx.y][static_cast<int>(threadIdx.x) * V + v] = sums[k][v];
    __syncthreads();
    if (threadIdx.y != 0 || channel >= channels) return;
    for (int k = 0; k < 2; ++k)
        for (int v = 0; v < V; ++v) {
            double sum = 0;
            for (int y = 0; y < depth_rows; ++y)
                sum += shared[k][y][static_cast<int>(threadIdx.x) * V + v];
            partial[(static_cast<std::int64_t>(blockIdx.y) * 2 + k) * channels + channel + v] = sum;
        }
}

/// Sum i of the splits, in their order, for every i of [2, channels].
__device__ double sum_of_splits(const NormTask& task, std::int64_t i) {
    double sum = 0;
    for (std::int64_t split = 0; split < task.reduction.splits; ++split)
        sum += task.partial[split * 2 * task.channels + i];
    return sum;
}

/// Leaves the sums of each split in task.partial.
template <class T, class MakeValues>
void start_sums(const NormTask& task, const MakeValues& make_values, cudaStream_t stream) {
    with_vector<T>(task.channels, [&]<int V>() {
        const dim3 blocks(static_cast<unsigned>(channel_blocks(task.channels, V)),
                          static_cast<unsigned>(task.reduction.splits));
        const auto values = make_values.template operator()<V>();
        sum_splits<V><<<blocks, dim3(lanes, depth_rows), 0, stream>>>(
            task.rows, task.channels, task.reduction.rows, values, task.partial);
        check(cudaGetLastError(), "start a kernel");
    });
}

/// finish(i, sum) for every i of [2, channels].
template <class Finish>
void finish_sums(const NormTask& task, const Finish& finish, cudaStream_t stream) {
    for_each(
        2 * task.channels, [=] __device__(std::int64_t i) { finish(i, sum_of_splits(task, i)); },
        stream);
}

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

/// dy in a, dy * (x - mean) / deviation of the row in b.
template <class T, int V>
struct RowNormProducts {
    const T *dy, *x;
    const float* statistics;  // [rows, 2]: mean, 1 / deviation
    std::int64_t channels;
    __device__ void operator()(std::int64_t row, std::int64_t channel, float (&a)[V],
                               float (&b)[V]) const {
        const auto first = row * channels + channel;
        const auto gradient = load_vector<V>(dy + first), in = load_vector<V>(x + first);
        for (int v = 0; v < V; ++v) {
            a[v] = load(gradient.at[v]);
            b[v] = a[v] * (load(in.at[v]) - statistics[2 * row]) * statistics[2 * row + 1];
        }
    }
};

constexpr int warp = 32;

__device__ float sum_of_warp(float value) {
    for (int step = warp / 2; step > 0; step /= 2)
        value += __shfl_xor_sync(0xFFFFFFFFU, value, step);
    return value;
}

/// Mean and 1 / deviation of a row, by the threads of a warp, which share its channels.
template <class T>
__device__ float2 row_statistics(const T* x, std::int64_t channels, double eps, int lane) {
    float sum = 0;
    for (std::int64_t c = lane; c < channels; c += warp) sum += load(x[c]);
    const float mean = sum_of_warp(sum) / static_cast<float>(channels);
    float squares = 0;
    for (std::int64_t c = lane; c < channels; c += warp) {
        const float distance = load(x[c]) - mean;
        squares += distance * distance;
    }
    const float variance = sum_of_warp(squares) / static_cast<float>(channels);
    return {mean, static_cast<float>(1 / sqrt(variance + eps))};
}

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

template <class T>
void layer_norm(const T* x, std::int64_t rows, std::int64_t channels,
                const LayerNormCoefficients& by, T* y, cudaStream_t stream) {
    for_each(
        rows * warp,
        [=] __device__(std::int64_t i) {
            const int lane = static_cast<int>(i % warp);
            const T* const row = x + i / warp * channels;
            T* const out = y + i / warp * channels;
            const auto [mean, inverse] = row_statistics(row, channels, by.eps, lane);
            for (std::int64_t c = lane; c < channels; c += warp)
                store((load(row[c]) - mean) * inverse * by.weight[c] + by.bias[c], out[c]);
        },
        stream);
}

template <class T>
void layer_norm_backward(const NormTask& task, const T* dy, const T* x,
                         const LayerNormCoefficients& by, float* statistics, T* dx, float* dweight,
                         float* dbias, cudaStream_t stream) {
    const auto channels = task.channels;
    for_each(
        task.rows * warp,
        [=] __device__(std::int64_t i) {
            const int lane = static_cast<int>(i % warp);
            const auto found = row_statistics(x + i / warp * channels, channels, by.eps, lane);
            if (lane == 0) statistics[i / warp * 2] = found.x;
            if (lane == 1) statistics[i / warp * 2 + 1] = found.y;
        },
        stream);
    start_sums<T>(
        task,
        [&]<int V>() {
            return RowNormProducts<T, V>{dy, x, statistics, channels};
        },
        stream);
    finish_sums(
        task,
        [=] __device__(std::int64_t i, double sum) {
            (i < channels ? dbias[i] : dweight[i - channels]) = static_cast<float>(sum);
        },
        stream);
    if (dx == nullptr) return;
    for_each(
        task.rows * warp,
        [=] __device__(std::int64_t i) {
            const int lane = static_cast<int>(i % warp);
            const auto row = i / warp, first = row * channels;
            const float mean = statistics[2 * row], inverse = statistics[2 * row + 1];
            float sum = 0, products = 0;
            for (std::int64_t c = lane; c < channels; c += warp) {
                const float gradient = load(dy[first + c]) * by.weight[c];
                sum += gradient;
                products += gradient * (load(x[first + c]) - mean) * inverse;
            }
            const float count = static_cast<float>(channels);
            sum = sum_of_warp(sum) / count;
            products = sum_of_warp(products) / count;
            for (std::int64_t c = lane; c < channels; c += warp) {
                const float gradient = load(dy[first + c]) * by.weight[c];
                const float distance = (load(x[first + c]) - mean) * inverse;
                store(inverse * (gradient - sum - distance * products), dx[first + c]);
            }
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
                                 const DeviceKey&, float*, cudaStream_t);                          \
    template void layer_norm(const T*, std::int64_t, std::int64_t, const LayerNormCoefficients&,   \
                             T*, cudaStream_t);                                                    \
    template void layer_norm_backward(const NormTask&, const T*, const T*,                         \
                                      const LayerNormCoefficients&, float*, T*, float*, float*,    \
                                      cudaStream_t);

NANOATLAS_INSTANTIATE(float)
NANOATLAS_INSTANTIATE(__nv_bfloat16)

}  // namespace nanoatlas::kernels::cudnn
