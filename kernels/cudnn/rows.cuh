// Loops over the rows of images whose threads keep their channels, so that what belongs to a
// channel is loaded once. For .cu files.
#pragma once

#include "kernels/cudnn/element.cuh"
#include "kernels/cudnn/reduction.hpp"

namespace nanoatlas::kernels::cudnn {

/// Where a thread of a block of `lanes` threads side by side stands, V channels each.
template <int V>
struct RowPlace {
    std::int64_t channel;
    int row, depth;
    __device__ explicit RowPlace(int lanes)
        : channel((static_cast<std::int64_t>(blockIdx.x) * lanes +
                   static_cast<int>(threadIdx.x) % lanes) *
                  V),
          row(static_cast<int>(threadIdx.x) / lanes),
          depth(static_cast<int>(blockDim.x) / lanes) {}
};

/// For rows first, first + step, ... below last: work.load(element) of Work::rows_at_once of them,
/// since a GPU's memory is fast to those who ask for much at a time, then use(loaded, element) of
/// each.
template <class Work, class Use>
__device__ void stride_rows(std::int64_t first, std::int64_t last, std::int64_t step,
                            std::int64_t channels, std::int64_t channel, const Work& work,
                            const Use& use) {
    constexpr int rows_at_once = Work::rows_at_once;
    std::int64_t row = first;
    for (; row + (rows_at_once - 1) * step < last; row += rows_at_once * step) {
        typename Work::Loaded loaded[rows_at_once];
        NANOATLAS_UNROLL
        for (int n = 0; n < rows_at_once; ++n)
            loaded[n] = work.load((row + n * step) * channels + channel);
        NANOATLAS_UNROLL
        for (int n = 0; n < rows_at_once; ++n)
            use(loaded[n], (row + n * step) * channels + channel);
    }
    for (; row < last; row += step) {
        const auto element = row * channels + channel;
        use(work.load(element), element);
    }
}

template <int V, class Work>
__global__ void run_for_rows(std::int64_t rows, std::int64_t channels, int lanes, Work work) {
    const RowPlace<V> place(lanes);
    if (place.channel >= channels) return;
    const auto by_channel = work.by_channel(place.channel);
    stride_rows(
        blockIdx.y * static_cast<std::int64_t>(place.depth) + place.row, rows,
        static_cast<std::int64_t>(gridDim.y) * place.depth, channels, place.channel, work,
        [&](const auto& loaded, std::int64_t element) { work.use(loaded, by_channel, element); });
}

/// For each V channels of each row: work.use(work.load(element), work.by_channel(channel),
/// element), where make_work.operator()<V>() makes the work.
template <class T, class MakeWork>
void for_each_row(std::int64_t rows, std::int64_t channels, const MakeWork& make_work,
                  cudaStream_t stream) {
    if (rows == 0) return;
    with_vector<T>(channels, [&]<int V>() {
        const BlockShape block(channels, V);
        const auto across = channel_blocks(channels, V);
        constexpr std::int64_t most_blocks = 132 * 16;
        const auto down = std::clamp<std::int64_t>((rows + block.depth - 1) / block.depth, 1,
                                                   std::max<std::int64_t>(most_blocks / across, 1));
        const auto work = make_work.template operator()<V>();
        launch(run_for_rows<V, std::remove_const_t<decltype(work)>>,
               {dim3(static_cast<unsigned>(across), static_cast<unsigned>(down)),
                static_cast<unsigned>(block.lanes * block.depth)},
               stream, rows, channels, static_cast<int>(block.lanes), work);
    });
}

/// V floats of a channel's, 0 where there are none.
template <int V>
__device__ void load_floats(const float* from, std::int64_t channel, float (&to)[V]) {
    for (int v = 0; v < V; ++v) to[v] = from == nullptr ? 0 : from[channel + v];
}

}  // namespace nanoatlas::kernels::cudnn
