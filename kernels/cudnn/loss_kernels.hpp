// The loss on the GPU: one block of threads a sample, sums in f64.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "kernels/cnn.hpp"

namespace nanoatlas::kernels::cudnn {

/// What a sample counts as; label -1: nothing.
struct DeviceTarget {
    std::int64_t label;
    double scale;     ///< part in the mean
    double on_label;  ///< the label's weight without what smoothing spreads
};

struct LossNumbers {
    double spread;      ///< of the label's smoothing, by class
    double weight_sum;  ///< of all classes
    float factor;       ///< of the gradient
};

/// All on the device.
struct LossTask {
    ImageShape logits;
    const DeviceTarget* targets;      ///< [samples, 2], the one of the larger share first
    const float* class_weights;       ///< [classes]
    const LossNumbers* numbers;       ///< one
    const std::int32_t* inner_first;  ///< label classes + i stands for inner[inner_first[i]] ..
    const std::int32_t* inner;        ///< .. inner[inner_first[i + 1] - 1]
    double* losses;                   ///< [samples]
    double* correct;                  ///< [samples]: 1 or 0
    double* sums;                     ///< [3]: loss, labelled, correct
};

template <class T>
void softmax_cross_entropy(const LossTask& task, const T* logits, T* gradient, cudaStream_t stream);

}  // namespace nanoatlas::kernels::cudnn
