#include "kernels/cudnn/element.cuh"
#include "kernels/cudnn/picture_kernels.hpp"

namespace nanoatlas::kernels::cudnn {
namespace {

/// The filter of output i of a picture along an axis.
__device__ void set_taps(const AxisFilter& filter, int taps, int& first, float* weights) {
    first = filter.begin();
    double sum = 0;
    for (int t = 0; t < taps; ++t) sum += filter.weight(first + t);
    for (int t = 0; t < taps; ++t) weights[t] = static_cast<float>(filter.weight(first + t) / sum);
}

/// One block a row of a picture's crop: scaled along the height into shared memory, from there
/// along the width.
__global__ void augment_rows(PictureTask task) {
    float* const squeezed = shared_memory();  // [width]
    const std::int64_t picture = blockIdx.x / task.size;
    const int y = static_cast<int>(blockIdx.x % task.size);
    if (picture >= *task.count) return;
    const ImageView view = task.views[picture];
    const std::int64_t row = picture * task.size + y;
    const float* const by_row = task.weights_y + row * task.taps_y;
    const std::uint8_t* const source =
        task.pixels[picture] + static_cast<std::int64_t>(task.first_y[row]) * task.width;
    for (int x = static_cast<int>(threadIdx.x); x < task.width; x += static_cast<int>(blockDim.x)) {
        float value = 0;
        for (int t = 0; t < task.taps_y; ++t)
            if (by_row[t] != 0)
                value += by_row[t] *
                         static_cast<float>(source[static_cast<std::int64_t>(t) * task.width + x]);
        squeezed[x] = value;
    }
    __syncthreads();
    float* const tones = task.tones + picture * task.size * task.size;
    for (int x = static_cast<int>(threadIdx.x); x < task.size; x += static_cast<int>(blockDim.x)) {
        const std::int64_t column = picture * task.size + x;
        const float* const by_column = task.weights_x + column * task.taps_x;
        float value = 0;
        for (int t = 0; t < task.taps_x; ++t)
            if (by_column[t] != 0) value += by_column[t] * squeezed[task.first_x[column] + t];
        const int place = oriented(view, y, x, task.size);
        tones[place] = toned(view, value, place);
    }
}

}  // namespace

void augment(const PictureTask& task, cudaStream_t stream) {
    for_each(
        task.most_pictures * task.size,
        [=] __device__(std::int64_t i) {
            if (i / task.size >= *task.count) return;
            const ImageView& view = task.views[i / task.size];
            const int output = static_cast<int>(i % task.size);
            const double scale_y = static_cast<double>(view.height) / task.size;
            const double scale_x = static_cast<double>(view.width) / task.size;
            set_taps(AxisFilter(output, view.top, scale_y, task.height), task.taps_y,
                     task.first_y[i], task.weights_y + i * task.taps_y);
            set_taps(AxisFilter(output, view.left, scale_x, task.width), task.taps_x,
                     task.first_x[i], task.weights_x + i * task.taps_x);
        },
        stream);
    constexpr unsigned threads = 256;
    const auto blocks = static_cast<unsigned>(task.most_pictures * task.size);
    if (blocks == 0) return;
    launch(augment_rows, {blocks, threads, static_cast<std::size_t>(task.width) * sizeof(float)},
           stream, task);
}

template <class T>
void mix_pictures(const PictureTask& task, std::int64_t samples, T* to, cudaStream_t stream) {
    const std::int64_t pixels = static_cast<std::int64_t>(task.size) * task.size;
    for_each(
        samples * pixels * task.channels,
        [=] __device__(std::int64_t i) {
            const auto channel = i % task.channels, pixel = i / task.channels % pixels;
            const auto sample = i / task.channels / pixels;
            const auto value = [&](std::int64_t picture) {
                return normalised(task.tones[picture * pixels + pixel], task.mean[channel],
                                  task.deviation[channel]);
            };
            store(mixed(value(sample), value(task.others[sample]), task.shares[sample]), to[i]);
        },
        stream);
}

template void mix_pictures(const PictureTask&, std::int64_t, float*, cudaStream_t);
template void mix_pictures(const PictureTask&, std::int64_t, __nv_bfloat16*, cudaStream_t);

}  // namespace nanoatlas::kernels::cudnn
