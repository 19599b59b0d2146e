// How a window moves over an image, as convolutions and pooling read it. For .cu files.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "kernels/cnn.hpp"

namespace nanoatlas::kernels::cudnn {

/// Along one axis. Numbers of 32 bits: a GPU divides those of 64 many times slower.
struct WindowAxis {
    int in, out, taps, stride, before, dilation;

    WindowAxis(std::int64_t in_size, std::int64_t out_size, std::int64_t tap_count,
               std::int64_t step, std::int64_t padding, std::int64_t spread)
        : in(static_cast<int>(in_size)),
          out(static_cast<int>(out_size)),
          taps(static_cast<int>(tap_count)),
          stride(static_cast<int>(step)),
          before(static_cast<int>(padding)),
          dilation(static_cast<int>(spread)) {}

    /// The input pixel that an output pixel reads by a tap; -1 in the padding.
    __device__ int input(int o, int tap) const {
        const auto i = o * stride - before + tap * dilation;
        return i >= 0 && i < in ? i : -1;
    }
    /// The output pixel that reads an input pixel by a tap; -1 if there is none.
    __device__ int output(int i, int tap) const {
        const auto o = i + before - tap * dilation;
        return o >= 0 && o % stride == 0 && o / stride < out ? o / stride : -1;
    }
};

struct WindowPlane {
    WindowAxis rows, columns;

    WindowPlane(const ImageShape& in, const ImageShape& out, const Window& window)
        : rows(in.height, out.height, window.height, window.stride_y, window.top,
               window.dilation_y),
          columns(in.width, out.width, window.width, window.stride_x, window.left,
                  window.dilation_x) {}

    /// use(tap of the rows, of the columns, input row, column) for what an output pixel reads.
    template <class Use>
    __device__ void for_inputs(int y, int x, const Use& use) const {
        for (int r = 0; r < rows.taps; ++r)
            for (int s = 0; s < columns.taps; ++s) {
                const auto row = rows.input(y, r), column = columns.input(x, s);
                if (row >= 0 && column >= 0) use(r, s, row, column);
            }
    }
    /// use(tap of the rows, of the columns, output row, column) for what reads an input pixel.
    template <class Use>
    __device__ void for_outputs(int y, int x, const Use& use) const {
        for (int r = 0; r < rows.taps; ++r) {
            const auto row = rows.output(y, r);
            for (int s = 0; s < columns.taps && row >= 0; ++s)
                if (const auto column = columns.output(x, s); column >= 0) use(r, s, row, column);
        }
    }
};

/// Where an element of an image lies; the image has fewer than 2^31 rows (pixels).
struct Place {
    std::int64_t sample;
    int y, x;
    std::int64_t channel;
    __device__ Place(const ImageShape& shape, std::int64_t i) : Place(shape, i, 1) {}
    /// Of element V * i, where V divides the channels.
    __device__ Place(const ImageShape& shape, std::int64_t i, std::int64_t vector) {
        const auto vectors = static_cast<unsigned>(shape.channels / vector);
        const auto row = static_cast<unsigned>(i < 0xFFFFFFFF ? static_cast<unsigned>(i) / vectors
                                                              : static_cast<unsigned>(i / vectors));
        channel = (i - static_cast<std::int64_t>(row) * vectors) * vector;
        const auto width = static_cast<unsigned>(shape.width);
        const auto height = static_cast<unsigned>(shape.height);
        x = static_cast<int>(row % width);
        y = static_cast<int>(row / width % height);
        sample = row / width / height;
    }
};

__device__ inline std::int64_t element(const ImageShape& shape, std::int64_t sample, std::int64_t y,
                                       std::int64_t x, std::int64_t channel) {
    return ((sample * shape.height + y) * shape.width + x) * shape.channels + channel;
}

}  // namespace nanoatlas::kernels::cudnn
