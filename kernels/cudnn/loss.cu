// By the formulas of kernels/reference/loss.cpp.
#include "kernels/cudnn/block.cuh"
#include "kernels/cudnn/element.cuh"
#include "kernels/cudnn/loss_kernels.hpp"

namespace nanoatlas::kernels::cudnn {
namespace {

constexpr int threads = 128;

/// A class and its logit.
struct Candidate {
    float logit;
    std::int64_t label;
};

/// The logits of one sample: class c of the host's order lies at place(c).
template <class T>
struct Row {
    const T* logits;
    std::int64_t classes, pixels, channels;
    double largest = 0, log_sum = 0;

    __device__ Row(const ImageShape& shape, const T* all, std::int64_t sample)
        : logits(all + sample * shape.height * shape.width * shape.channels),
          classes(shape.height * shape.width * shape.channels),
          pixels(shape.height * shape.width),
          channels(shape.channels) {}
    __device__ std::int64_t place(std::int64_t c) const {
        return c % pixels * channels + c / pixels;
    }
    __device__ float logit(std::int64_t c) const { return load(logits[place(c)]); }
    __device__ double log_probability(std::int64_t c) const { return logit(c) - largest - log_sum; }
};

/// The classes that a target's label stands for, and their part in the probability.
struct Meant {
    std::int64_t label, count;
    const std::int32_t* listed;  // null: the label itself
    double largest = -INFINITY, sum = 0;

    template <class T>
    __device__ Meant(const LossTask& task, const Row<T>& row, std::int64_t of)
        : label(of), count(1), listed(nullptr) {
        if (label >= row.classes) {
            const auto* const first = task.inner_first + (label - row.classes);
            listed = task.inner + first[0];
            count = first[1] - first[0];
        }
        for (std::int64_t i = 0; i < count; ++i) {
            const double value = row.log_probability(at(i));
            largest = value > largest ? value : largest;
        }
        for (std::int64_t i = 0; i < count; ++i) sum += exp(row.log_probability(at(i)) - largest);
    }
    __device__ std::int64_t at(std::int64_t i) const {
        return listed == nullptr ? label : listed[i];
    }
    __device__ bool holds(std::int64_t c) const {
        for (std::int64_t i = 0; i < count; ++i)
            if (at(i) == c) return true;
        return false;
    }
    __device__ double log_probability() const { return largest + log(sum); }
    template <class T>
    __device__ double share(const Row<T>& row, std::int64_t c) const {
        return holds(c) ? exp(row.log_probability(c) - largest) / sum : 0;
    }
};

/// The class of the largest logit, of equal ones the first.
template <class T>
__device__ Candidate find_largest(const Row<T>& row) {
    Candidate own{-INFINITY, row.classes};
    for (std::int64_t c = threadIdx.x; c < row.classes; c += threads)
        if (row.logit(c) > own.logit) own = {row.logit(c), c};
    return combine_block<threads>(own, [](const Candidate& a, const Candidate& b) {
        const bool is_a = a.logit > b.logit || (a.logit == b.logit && a.label < b.label);
        return is_a ? a : b;
    });
}

template <class T>
__global__ void lose_samples(LossTask task, const T* logits, T* gradient) {
    const std::int64_t sample = blockIdx.x;
    Row<T> row(task.logits, logits, sample);
    T* const out = gradient + sample * row.classes;
    const DeviceTarget* const targets = task.targets + 2 * sample;
    if (targets[0].label < 0) {
        for (std::int64_t c = threadIdx.x; c < row.classes; c += threads) store(0.0F, out[c]);
        if (threadIdx.x == 0) task.losses[sample] = task.correct[sample] = 0;
        return;
    }
    const auto predicted = find_largest(row);
    row.largest = predicted.logit;
    double sum = 0, weighted = 0;
    for (std::int64_t c = threadIdx.x; c < row.classes; c += threads)
        sum += exp(row.logit(c) - row.largest);
    row.log_sum = log(sum_of_block<threads>(sum));
    for (std::int64_t c = threadIdx.x; c < row.classes; c += threads)
        weighted += task.class_weights[c] * row.log_probability(c);
    weighted = sum_of_block<threads>(weighted);

    const LossNumbers by = *task.numbers;
    const DeviceTarget one = targets[0], two = targets[1];
    const Meant first(task, row, one.label);
    const Meant second(task, row, two.label < 0 ? one.label : two.label);  // of scale 0 if absent
    for (std::int64_t c = threadIdx.x; c < row.classes; c += threads) {
        const double p = exp(row.log_probability(c)), smooth = by.spread * task.class_weights[c];
        const auto part = [&](const DeviceTarget& target, const Meant& meant) {
            return target.scale * ((target.on_label + by.spread * by.weight_sum) * p - smooth -
                                   target.on_label * meant.share(row, c));
        };
        double value = part(one, first);
        if (two.label >= 0) value += part(two, second);
        store(static_cast<float>(value) * by.factor, out[row.place(c)]);
    }
    if (threadIdx.x != 0) return;
    const auto loss = [&](const DeviceTarget& target, const Meant& meant) {
        return -target.scale * (target.on_label * meant.log_probability() + by.spread * weighted);
    };
    task.losses[sample] = loss(one, first) + (two.label >= 0 ? loss(two, second) : 0);
    task.correct[sample] = first.holds(predicted.label) ? 1 : 0;
}

/// By one block.
__global__ void sum_losses(LossTask task) {
    double loss = 0, labelled = 0, correct = 0;
    for (std::int64_t i = threadIdx.x; i < task.logits.samples; i += threads) {
        loss += task.losses[i];
        labelled += task.targets[2 * i].label >= 0 ? 1 : 0;
        correct += task.correct[i];
    }
    loss = sum_of_block<threads>(loss);
    labelled = sum_of_block<threads>(labelled);
    correct = sum_of_block<threads>(correct);
    if (threadIdx.x != 0) return;
    task.sums[0] = loss;
    task.sums[1] = labelled;
    task.sums[2] = correct;
}

}  // namespace

template <class T>
void softmax_cross_entropy(const LossTask& task, const T* logits, T* gradient,
                           cudaStream_t stream) {
    if (task.logits.samples > 0)
        launch(lose_samples<T>, {static_cast<unsigned>(task.logits.samples), threads}, stream, task,
               logits, gradient);
    launch(sum_losses, {1, threads}, stream, task);
}

template void softmax_cross_entropy(const LossTask&, const float*, float*, cudaStream_t);
template void softmax_cross_entropy(const LossTask&, const __nv_bfloat16*, __nv_bfloat16*,
                                    cudaStream_t);

}  // namespace nanoatlas::kernels::cudnn
