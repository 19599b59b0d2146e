// How a window moves over an image, as convolutions and pooling read it. For .cu files.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "kernels/cnn.hpp"

namespace nanoatlas::kernels::cudnn {

/// Along one axis.
struct WindowAxis {
    std::int64_t in, out, taps, stride, before, dilation;

    /// The input pixel that an output pixel reads by a tap; -1 in the padding.
    __device__ std::int64_t input(std::int64_t o, std::int64_t tap) const {
        const auto i = o * stride - before + tap * dilation;
        return i >= 0 && i < in ? i : -1;
    }
    /// The output pixel that reads an input pixel by a tap; -1 if there is none.
    __device__ std::int64_t output(std::int64_t i, std::int64_t tap) const {
        const auto o = i + before - tap * dilation;
        return o >= 0 && o % stride == 0 && o / stride < out ? o / stride : -1;
    }
};

struct WindowPlane {
    WindowAxis rows, columns;

    WindowPlane(const ImageShape& in, const ImageShape& out, const Window& window)
        : rows{in.height,       out.height, window.height,
               window.stride_y, window.top, window.dilation_y},
          columns{in.width,        out.width,   window.width,
                  window.stride_x, window.left, window.dilation_x} {}

    /// use(tap of the rows, of the columns, input row, column) for what an output pixel reads.
    template <class Use>
    __device__ void for_inputs(std::int64_t y, std::int64_t x, const Use& use) const {
        for (std::int64_t r = 0; r < rows.taps; ++r)
            for (std::int64_t s = 0; s < columns.taps; ++s) {
                const auto row = rows.input(y, r), column = columns.input(x, s);
                if (row >= 0 && column >= 0) use(r, s, row, column);
            }
    }
    /// use(tap of the rows, of the columns, output row, column) for what reads an input pixel.
    template <class Use>
    __device__ void for_outputs(std::int64_t y, std::int64_t x, const Use& use) const {
        for (std::int64_t r = 0; r < rows.taps; ++r) {
            const auto row = rows.output(y, r);
            for (std::int64_t s = 0; s < columns.taps && row >= 0; ++s)
                if (const auto column = columns.output(x, s); column >= 0) use(r, s, row, column);
        }
    }
};

/// Where an element of an image lies.
struct Place {
    std::int64_t sample, y, x, channel;
    __device__ Place(const ImageShape& shape, std::int64_t i)
        : sample(i / shape.channels / shape.width / shape.height),
          y(i / shape.channels / shape.width % shape.height),
          x(i / shape.channels % shape.width),
          channel(i % shape.channels) {}
};

__device__ inline std::int64_t element(const ImageShape& shape, std::int64_t sample, std::int64_t y,
                                       std::int64_t x, std::int64_t channel) {
    return ((sample * shape.height + y) * shape.width + x) * shape.channels + channel;
}

}  // namespace nanoatlas::kernels::cudnn
