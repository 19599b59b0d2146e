// The best epochs of a training: their tensors, the best first.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "nn/tensor.hpp"

namespace nanoatlas::nn {

/// An epoch by its validation.
struct EpochScore {
    std::int64_t epoch = 0;  ///< from 0
    double accuracy = 0, loss = 0;
};

/// By accuracy, of equals by loss.
bool is_better(const EpochScore& a, const EpochScore& b);

struct BestModel {
    EpochScore score{};
    TensorMap tensors{};
};

/// Inserts the epoch if it is among the `most` best, of equals behind the earlier one, and drops
/// the one that is too many. tensors: asked for only then
void keep_if_best(std::vector<BestModel>& best, const EpochScore& score, std::int64_t most,
                  const std::function<TensorMap()>& tensors);

/// No epoch of the last `patience` of `done` is the best one. patience 0: never so.
bool is_out_of_patience(const std::vector<BestModel>& best, std::int64_t done,
                        std::int64_t patience);

}  // namespace nanoatlas::nn
