// One thread some channels of a pixel of what is written: sums come out the same each time.
#include "kernels/cudnn/element.cuh"
#include "kernels/cudnn/kernels.hpp"
#include "kernels/cudnn/window.cuh"

namespace nanoatlas::kernels::cudnn {
namespace {

template <int V, class T>
__device__ void add_vector(const T* from, float factor, float (&sum)[V]) {
    const auto values = load_vector<V>(from);
    for (int v = 0; v < V; ++v) sum[v] += load(values.at[v]) * factor;
}

template <int V, class T>
__device__ void store_floats(const float (&values)[V], float factor, T* to) {
    Vector<T, V> stored;
    for (int v = 0; v < V; ++v) store(values[v] * factor, stored.at[v]);
    store_vector<V>(stored, to);
}

}  // namespace

template <class T>
void max_pool(const PoolShape& shape, const T* x, T* y, std::uint16_t* places,
              cudaStream_t stream) {
    const WindowPlane plane(shape.input, shape.output, shape.window);
    for_each_vector<T>(
        shape.output.channels, shape.output.elements(),
        [=] __device__(auto length, std::int64_t i) {
            constexpr int V = decltype(length)::value;
            const Place out(shape.output, i, V);
            float largest[V];
            Vector<std::uint16_t, V> where;
            for (int v = 0; v < V; ++v) {
                largest[v] = -INFINITY;
                where.at[v] = 0xFFFF;  // a window that lies in the padding alone
            }
            plane.for_inputs(out.y, out.x, [&](int r, int s, int row, int column) {
                const auto in =
                    load_vector<V>(x + element(shape.input, out.sample, row, column, out.channel));
                for (int v = 0; v < V; ++v) {
                    const float value = load(in.at[v]);
                    if (where.at[v] != 0xFFFF && !(value > largest[v])) continue;
                    largest[v] = value;
                    where.at[v] = static_cast<std::uint16_t>(r * plane.columns.taps + s);
                }
            });
            store_floats<V>(largest, 1, y + i * V);
            if (places != nullptr) store_vector<V>(where, places + i * V);
        },
        stream);
}

template <class T>
void max_pool_backward(const PoolShape& shape, const T* dy, const std::uint16_t* places, T* dx,
                       cudaStream_t stream) {
    const WindowPlane plane(shape.input, shape.output, shape.window);
    for_each_vector<T>(
        shape.input.channels, shape.input.elements(),
        [=] __device__(auto length, std::int64_t i) {
            constexpr int V = decltype(length)::value;
            const Place in(shape.input, i, V);
            float sum[V] = {};
            plane.for_outputs(in.y, in.x, [&](int r, int s, int row, int column) {
                const auto output = element(shape.output, in.sample, row, column, in.channel);
                const auto where = load_vector<V>(places + output);
                const auto gradient = load_vector<V>(dy + output);
                for (int v = 0; v < V; ++v)
                    if (where.at[v] == r * plane.columns.taps + s) sum[v] += load(gradient.at[v]);
            });
            store_floats<V>(sum, 1, dx + i * V);
        },
        stream);
}

template <class T>
void average_pool(const PoolShape& shape, const T* x, T* y, cudaStream_t stream) {
    const auto share = 1 / static_cast<float>(shape.window.height * shape.window.width);
    const WindowPlane plane(shape.input, shape.output, shape.window);
    for_each_vector<T>(
        shape.output.channels, shape.output.elements(),
        [=] __device__(auto length, std::int64_t i) {
            constexpr int V = decltype(length)::value;
            const Place out(shape.output, i, V);
            float sum[V] = {};
            plane.for_inputs(out.y, out.x, [&](int, int, int row, int column) {
                add_vector<V>(x + element(shape.input, out.sample, row, column, out.channel), 1,
                              sum);
            });
            store_floats<V>(sum, share, y + i * V);
        },
        stream);
}

template <class T>
void average_pool_backward(const PoolShape& shape, const T* dy, T* dx, cudaStream_t stream) {
    const auto share = 1 / static_cast<float>(shape.window.height * shape.window.width);
    const WindowPlane plane(shape.input, shape.output, shape.window);
    for_each_vector<T>(
        shape.input.channels, shape.input.elements(),
        [=] __device__(auto length, std::int64_t i) {
            constexpr int V = decltype(length)::value;
            const Place in(shape.input, i, V);
            float sum[V] = {};
            plane.for_outputs(in.y, in.x, [&](int, int, int row, int column) {
                add_vector<V>(dy + element(shape.output, in.sample, row, column, in.channel), 1,
                              sum);
            });
            store_floats<V>(sum, share, dx + i * V);
        },
        stream);
}

namespace {

/// First and last + 1 of the input pixels that output i averages, along an axis.
struct Span {
    int first, last;
    __device__ Span(int i, std::int64_t in_size, std::int64_t out_size) {
        const int in = static_cast<int>(in_size), out = static_cast<int>(out_size);
        first = i * in / out;
        last = ((i + 1) * in + out - 1) / out;
    }
    __device__ int count() const { return last - first; }
};

}  // namespace

template <class T>
void adaptive_average(const T* x, const ImageShape& input, const ImageShape& output, T* y,
                      cudaStream_t stream) {
    for_each_vector<T>(
        output.channels, output.elements(),
        [=] __device__(auto length, std::int64_t i) {
            constexpr int V = decltype(length)::value;
            const Place out(output, i, V);
            const Span rows(out.y, input.height, output.height);
            const Span columns(out.x, input.width, output.width);
            float sum[V] = {};
            for (auto row = rows.first; row < rows.last; ++row)
                for (auto column = columns.first; column < columns.last; ++column)
                    add_vector<V>(x + element(input, out.sample, row, column, out.channel), 1, sum);
            store_floats<V>(sum, 1 / static_cast<float>(rows.count() * columns.count()), y + i * V);
        },
        stream);
}

template <class T>
void adaptive_average_backward(const T* dy, const ImageShape& input, const ImageShape& output,
                               T* dx, cudaStream_t stream) {
    for_each_vector<T>(
        input.channels, input.elements(),
        [=] __device__(auto length, std::int64_t i) {
            constexpr int V = decltype(length)::value;
            const Place in(input, i, V);
            // The outputs that average this pixel are its own span among the outputs.
            const Span rows(in.y, output.height, input.height);
            const Span columns(in.x, output.width, input.width);
            float sum[V] = {};
            for (auto row = rows.first; row < rows.last; ++row)
                for (auto column = columns.first; column < columns.last; ++column) {
                    const auto count = Span(row, input.height, output.height).count() *
                                       Span(column, input.width, output.width).count();
                    add_vector<V>(dy + element(output, in.sample, row, column, in.channel),
                                  1 / static_cast<float>(count), sum);
                }
            store_floats<V>(sum, 1, dx + i * V);
        },
        stream);
}

#define NANOATLAS_INSTANTIATE(T)                                                                \
    template void max_pool(const PoolShape&, const T*, T*, std::uint16_t*, cudaStream_t);       \
    template void max_pool_backward(const PoolShape&, const T*, const std::uint16_t*, T*,       \
                                    cudaStream_t);                                              \
    template void average_pool(const PoolShape&, const T*, T*, cudaStream_t);                   \
    template void average_pool_backward(const PoolShape&, const T*, T*, cudaStream_t);          \
    template void adaptive_average(const T*, const ImageShape&, const ImageShape&, T*,          \
                                   cudaStream_t);                                               \
    template void adaptive_average_backward(const T*, const ImageShape&, const ImageShape&, T*, \
                                            cudaStream_t);

NANOATLAS_INSTANTIATE(float)
NANOATLAS_INSTANTIATE(__nv_bfloat16)

}  // namespace nanoatlas::kernels::cudnn
