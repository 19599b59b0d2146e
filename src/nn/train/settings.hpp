// What a training is told: how long, by which steps, and which weights it ends with.
#pragma once

#include <cstdint>
#include <vector>

#include "nn/train/optimizer.hpp"
#include "nn/train/order.hpp"
#include "nn/train/schedule.hpp"

namespace nanoatlas::nn {

/// Which epoch's tensors training ends with: that of the highest validation accuracy (of equals the
/// one of the lowest loss; the last one if there are no validation samples), or the last one.
enum class Choice { best, last };

struct TrainSettings {
    std::int64_t epochs = 10;
    std::int64_t patience = 0;    ///< epochs without a better one after which it ends; 0: never
    std::int64_t batch = 64;      ///< samples of a step over all ranks
    std::int64_t accumulate = 1;  ///< passes in which a step takes them, one after the other
    Sampling sampling = Sampling::all;
    std::uint64_t seed = 1;

    OptimizerSettings optimizer{};
    double weight_decay = 0.01;  ///< of weights; never of biases and norms
    double layer_decay = 1;      ///< the rate of a block (layer_blocks.hpp) over the next one's
    std::int64_t unfreeze_every = 0;  ///< epochs after which one more block is trained, from the
                                      ///< head on; 0: all blocks always
    ScheduleKind schedule = ScheduleKind::cosine;
    double rate = 1e-3;    ///< the highest one
    double warmup = 0.05;  ///< share of all steps

    double label_smoothing = 0;
    std::vector<float> class_weights{};  ///< empty: all 1
    double mixup = 0;                    ///< alpha of mixup.hpp; 0: off

    double average = 0;  ///< decay of the weights' average that is evaluated and kept; 0: off
    Choice choice = Choice::best;
    std::int64_t keep_best = 1;  ///< epochs whose tensors are kept

    OrderSettings order() const {
        return {.batch = batch, .passes = accumulate, .sampling = sampling, .seed = seed};
    }
};

}  // namespace nanoatlas::nn
