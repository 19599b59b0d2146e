// Arithmetic on flat f32 buffers: one kernel updates all parameters, chunk by chunk.
#include "kernels/cudnn/block.cuh"
#include "kernels/cudnn/element.cuh"
#include "kernels/cudnn/kernels.hpp"

namespace nanoatlas::kernels::cudnn {
namespace {

constexpr int threads = 256;

__global__ void sum_squares(const float* values, std::int64_t count, double* partial) {
    double sum = 0;
    const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * threads;
    for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * threads + threadIdx.x; i < count;
         i += step) {
        const double value = values[i];
        sum += value * value;
    }
    sum = sum_of_block<threads>(sum);
    if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

__global__ void finish_shortening(const double* partial, std::int64_t count, double longest,
                                  float* factor) {
    double sum = 0;
    for (std::int64_t i = threadIdx.x; i < count; i += threads) sum += partial[i];
    sum = sum_of_block<threads>(sum);
    if (threadIdx.x == 0) *factor = shortening(sqrt(sum), longest);
}

/// One block a chunk.
__global__ void update_chunks(UpdateTask task, const float* gradients, float* parameters,
                              float* first, float* second) {
    for (const double* loss : task.losses)
        if (loss != nullptr && !isfinite(*loss)) return;
    const Chunk chunk = task.chunks[blockIdx.x];
    const SliceStep by = task.steps[chunk.slice];
    const UpdateOptions& options = task.options;
    const float factor = task.factor == nullptr ? 1.0F : *task.factor;
    for (std::int64_t i = chunk.first + threadIdx.x; i < chunk.first + chunk.count; i += threads) {
        const float gradient = gradients[i] * factor;
        if (options.rule == UpdateRule::sgd)
            update_sgd(gradient, options.momentum, by.decay, by.rate, parameters[i], first[i]);
        else
            update_adamw(gradient, options.beta1, options.beta2, options.epsilon, by.keep, by.rate,
                         by.unbias, parameters[i], first[i], second[i]);
    }
}

}  // namespace

void multiply(const float* x, float factor, std::int64_t count, float* y, cudaStream_t stream) {
    for_each(
        count, [=] __device__(std::int64_t i) { y[i] = factor * x[i]; }, stream);
}

void accumulate(const float* x, float factor, std::int64_t count, float* sum, cudaStream_t stream) {
    for_each(
        count, [=] __device__(std::int64_t i) { sum[i] += factor * x[i]; }, stream);
}

void approach(const float* x, float part, std::int64_t count, float* average, cudaStream_t stream) {
    for_each(
        count, [=] __device__(std::int64_t i) { average[i] += part * (x[i] - average[i]); },
        stream);
}

void find_shortening(std::span<const float> gradients, double longest, double* partial,
                     float* factor, cudaStream_t stream) {
    const auto count = static_cast<std::int64_t>(gradients.size());
    const auto blocks = std::clamp<std::int64_t>(count / largest_chunk, 1, norm_blocks);
    launch(sum_squares, {static_cast<unsigned>(blocks), threads}, stream, gradients.data(), count,
           partial);
    launch(finish_shortening, {1, threads}, stream, partial, blocks, longest, factor);
}

void update(const UpdateTask& task, const float* gradients, float* parameters, float* first,
            float* second, cudaStream_t stream) {
    if (task.chunk_count == 0) return;
    launch(update_chunks, {static_cast<unsigned>(task.chunk_count), threads}, stream, task,
           gradients, parameters, first, second);
}

}  // namespace nanoatlas::kernels::cudnn
