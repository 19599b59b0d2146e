// Sums over the rows of an image by channel, split by split (reduction.hpp). For .cu files.
#pragma once

#include "kernels/cudnn/kernels.hpp"
#include "kernels/cudnn/rows.cuh"

namespace nanoatlas::kernels::cudnn {

/// Sums of two values a row and channel. A block takes lanes * V channels of the rows of one split.
/// values.add(loaded, by channel, element, a, b) adds those of V channels to a and b.
template <int V, class Values>
__global__ void sum_splits(std::int64_t rows, std::int64_t channels, std::int64_t split_rows,
                           int lanes, Values values, double* partial) {
    __shared__ float shared[2][BlockShape::threads * V];
    const RowPlace<V> place(lanes);
    const std::int64_t first = blockIdx.y * split_rows;
    const std::int64_t last = first + split_rows < rows ? first + split_rows : rows;
    float sums[2][V] = {};
    if (place.channel < channels) {
        const auto by_channel = values.by_channel(place.channel);
        stride_rows(first + place.row, last, place.depth, channels, place.channel, values,
                    [&](const auto& loaded, std::int64_t element) {
                        values.add(loaded, by_channel, element, sums[0], sums[1]);
                    });
    }
    for (int k = 0; k < 2; ++k)
        for (int v = 0; v < V; ++v)
            shared[k][v * BlockShape::threads + static_cast<int>(threadIdx.x)] = sums[k][v];
    __syncthreads();
    // Each thread adds up some of the columns of [2, V, lanes].
    for (int i = static_cast<int>(threadIdx.x); i < 2 * V * lanes;
         i += static_cast<int>(blockDim.x)) {
        const int lane = i % lanes, v = i / lanes % V, k = i / lanes / V;
        const auto channel = (static_cast<std::int64_t>(blockIdx.x) * lanes + lane) * V + v;
        if (channel >= channels) continue;
        double sum = 0;
        for (int y = 0; y < place.depth; ++y)
            sum += shared[k][v * BlockShape::threads + y * lanes + lane];
        partial[(static_cast<std::int64_t>(blockIdx.y) * 2 + k) * channels + channel] = sum;
    }
}

/// Leaves the sums of each split in task.partial.
template <class T, class MakeValues>
void start_sums(const NormTask& task, const MakeValues& make_values, cudaStream_t stream) {
    with_vector<T>(task.channels, [&]<int V>() {
        const BlockShape block(task.channels, V);
        const dim3 blocks(static_cast<unsigned>(channel_blocks(task.channels, V)),
                          static_cast<unsigned>(task.reduction.splits));
        const auto values = make_values.template operator()<V>();
        launch(sum_splits<V, std::remove_const_t<decltype(values)>>,
               {blocks, static_cast<unsigned>(block.lanes * block.depth)}, stream, task.rows,
               task.channels, task.reduction.rows, static_cast<int>(block.lanes), values,
               task.partial);
    });
}

constexpr int finish_channels = 32, finish_groups = 8;

/// A block adds up the splits of 32 channels: each of 8 groups a run of splits, then those sums.
template <class Finish>
__global__ void add_splits(NormTask task, Finish finish) {
    __shared__ double shared[2][finish_groups][finish_channels];
    const int lane = static_cast<int>(threadIdx.x) % finish_channels,
              group = static_cast<int>(threadIdx.x) / finish_channels;
    const auto channel = static_cast<std::int64_t>(blockIdx.x) * finish_channels + lane;
    const auto splits = task.reduction.splits;
    double a = 0, b = 0;
    if (channel < task.channels) {
        const auto last = splits * (group + 1) / finish_groups;
        for (auto split = splits * group / finish_groups; split < last; ++split) {
            const double* const sums = task.partial + split * 2 * task.channels + channel;
            a += sums[0];
            b += sums[task.channels];
        }
    }
    shared[0][group][lane] = a;
    shared[1][group][lane] = b;
    __syncthreads();
    if (group != 0 || channel >= task.channels) return;
    for (int g = 1; g < finish_groups; ++g) {
        a += shared[0][g][lane];
        b += shared[1][g][lane];
    }
    finish(channel, a, b);
}

/// finish(channel, a, b) for every channel, with its two sums over all rows.
template <class Finish>
void finish_sums(const NormTask& task, const Finish& finish, cudaStream_t stream) {
    const auto blocks = (task.channels + finish_channels - 1) / finish_channels;
    launch(add_splits<Finish>,
           {static_cast<unsigned>(blocks), static_cast<unsigned>(finish_channels * finish_groups)},
           stream, task, finish);
}

}  // namespace nanoatlas::kernels::cudnn
