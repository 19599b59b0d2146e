// One thread an element of what is written: sums come out the same each time.
#include "kernels/cudnn/element.cuh"
#include "kernels/cudnn/kernels.hpp"
#include "kernels/cudnn/window.cuh"

namespace nanoatlas::kernels::cudnn {
template <class T>
void max_pool(const PoolShape& shape, const T* x, T* y, std::uint16_t* places,
              cudaStream_t stream) {
    const WindowPlane plane(shape.input, shape.output, shape.window);
    for_each(
        shape.output.elements(),
        [=] __device__(std::int64_t i) {
            const Place out(shape.output, i);
            float largest = -INFINITY;
            std::uint16_t where = 0xFFFF;  // a window that lies in the padding alone
            plane.for_inputs(out.y, out.x, [&](auto r, auto s, auto row, auto column) {
                const float value =
                    load(x[element(shape.input, out.sample, row, column, out.channel)]);
                if (where != 0xFFFF && !(value > largest)) return;
                largest = value;
                where = static_cast<std::uint16_t>(r * plane.columns.taps + s);
            });
            store(largest, y[i]);
            if (places != nullptr) places[i] = where;
        },
        stream);
}

template <class T>
void max_pool_backward(const PoolShape& shape, const T* dy, const std::uint16_t* places, T* dx,
                       cudaStream_t stream) {
    const WindowPlane plane(shape.input, shape.output, shape.window);
    for_each(
        shape.input.elements(),
        [=] __device__(std::int64_t i) {
            const Place in(shape.input, i);
            float sum = 0;
            plane.for_outputs(in.y, in.x, [&](auto r, auto s, auto row, auto column) {
                const auto output = element(shape.output, in.sample, row, column, in.channel);
                if (places[output] == r * plane.columns.taps + s) sum += load(dy[output]);
            });
            store(sum, dx[i]);
        },
        stream);
}

template <class T>
void average_pool(const PoolShape& shape, const T* x, T* y, cudaStream_t stream) {
    const auto count = static_cast<float>(shape.window.height * shape.window.width);
    const WindowPlane plane(shape.input, shape.output, shape.window);
    for_each(
        shape.output.elements(),
        [=] __device__(std::int64_t i) {
            const Place out(shape.output, i);
            float sum = 0;
            plane.for_inputs(out.y, out.x, [&](auto, auto, auto row, auto column) {
                sum += load(x[element(shape.input, out.sample, row, column, out.channel)]);
            });
            store(sum / count, y[i]);
        },
        stream);
}

template <class T>
void average_pool_backward(const PoolShape& shape, const T* dy, T* dx, cudaStream_t stream) {
    const auto count = static_cast<float>(shape.window.height * shape.window.width);
    const WindowPlane plane(shape.input, shape.output, shape.window);
    for_each(
        shape.input.elements(),
        [=] __device__(std::int64_t i) {
            const Place in(shape.input, i);
            float sum = 0;
            plane.for_outputs(in.y, in.x, [&](auto, auto, auto row, auto column) {
                sum += load(dy[element(shape.output, in.sample, row, column, in.channel)]);
            });
            store(sum / count, dx[i]);
        },
        stream);
}

namespace {

/// First and last + 1 of the input pixels that output i averages, along an axis.
struct Span {
    std::int64_t first, last;
    __device__ Span(std::int64_t i, std::int64_t in, std::int64_t out)
        : first(i * in / out), last(((i + 1) * in + out - 1) / out) {}
};

}  // namespace

template <class T>
void adaptive_average(const T* x, const ImageShape& input, const ImageShape& output, T* y,
                      cudaStream_t stream) {
    for_each(
        output.elements(),
        [=] __device__(std::int64_t i) {
            const Place out(output, i);
            const Span rows(out.y, input.height, output.height);
            const Span columns(out.x, input.width, output.width);
            float sum = 0;
            for (auto row = rows.first; row < rows.last; ++row)
                for (auto column = columns.first; column < columns.last; ++column)
                    sum += load(x[element(input, out.sample, row, column, out.channel)]);
            const auto count = (rows.last - rows.first) * (columns.last - columns.first);
            store(sum / static_cast<float>(count), y[i]);
        },
        stream);
}

template <class T>
void adaptive_average_backward(const T* dy, const ImageShape& input, const ImageShape& output,
                               T* dx, cudaStream_t stream) {
    for_each(
        input.elements(),
        [=] __device__(std::int64_t i) {
            const Place in(input, i);
            // The outputs that average this pixel are its own span among the outputs.
            const Span rows(in.y, output.height, input.height);
            const Span columns(in.x, output.width, input.width);
            float sum = 0;
            for (auto row = rows.first; row < rows.last; ++row)
                for (auto column = columns.first; column < columns.last; ++column) {
                    const Span height(row, input.height, output.height);
                    const Span width(column, input.width, output.width);
                    const auto count = (height.last - height.first) * (width.last - width.first);
                    sum += load(dy[element(output, in.sample, row, column, in.channel)]) /
                           static_cast<float>(count);
                }
            store(sum, dx[i]);
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
