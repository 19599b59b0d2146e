// Layer norms: a warp a row, and sums over the rows for the gradients of weight and bias.
#include "kernels/cudnn/row_sums.cuh"

namespace nanoatlas::kernels::cudnn {
namespace {

/// dy in a, dy * (x - mean) / deviation of the row in b.
template <class T, int V>
struct RowNormProducts {
    static constexpr int rows_at_once = 4;
    struct Loaded {
        Vector<T, V> gradient, in;
        float mean, inverse;
    };
    struct Nothing {};
    const T *dy, *x;
    const float* statistics;  // [rows, 2]: mean, 1 / deviation
    std::int64_t channels;

    __device__ Loaded load(std::int64_t element) const {
        const auto row = element / channels;
        return {load_vector<V>(dy + element), load_vector<V>(x + element), statistics[2 * row],
                statistics[2 * row + 1]};
    }
    __device__ Nothing by_channel(std::int64_t) const { return {}; }
    __device__ void add(const Loaded& loaded, Nothing, std::int64_t, float (&a)[V],
                        float (&b)[V]) const {
        for (int v = 0; v < V; ++v) {
            const float gradient = cudnn::load(loaded.gradient.at[v]);
            a[v] += gradient;
            b[v] += gradient * (cudnn::load(loaded.in.at[v]) - loaded.mean) * loaded.inverse;
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
        [=] __device__(std::int64_t c, double sum, double products) {
            dbias[c] = static_cast<float>(sum);
            dweight[c] = static_cast<float>(products);
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

#define NANOATLAS_INSTANTIATE(T)                                                                 \
    template void layer_norm(const T*, std::int64_t, std::int64_t, const LayerNormCoefficients&, \
                             T*, cudaStream_t);                                                  \
    template void layer_norm_backward(const NormTask&, const T*, const T*,                       \
                                      const LayerNormCoefficients&, float*, T*, float*, float*,  \
                                      cudaStream_t);

NANOATLAS_INSTANTIATE(float)
NANOATLAS_INSTANTIATE(__nv_bfloat16)

}  // namespace nanoatlas::kernels::cudnn
