// Sums over the rows of an image by channel, split by split (reduction.hpp). For .cu files.
#pragma once

#include "kernels/cudnn/element.cuh"
#include "kernels/cudnn/kernels.hpp"

namespace nanoatlas::kernels::cudnn {

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
__device__ inline double sum_of_splits(const NormTask& task, std::int64_t i) {
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
        launch(sum_splits<V, std::remove_const_t<decltype(values)>>,
               {blocks, dim3(lanes, depth_rows)}, stream, task.rows, task.channels,
               task.reduction.rows, values, task.partial);
    });
}

/// finish(i, sum) for every i of [2, channels].
template <class Finish>
void finish_sums(const NormTask& task, const Finish& finish, cudaStream_t stream) {
    for_each(
        2 * task.channels, [=] __device__(std::int64_t i) { finish(i, sum_of_splits(task, i)); },
        stream);
}

}  // namespace nanoatlas::kernels::cudnn
