// The options of `train`: how they are given, and what training takes.
#pragma once

#include <string>

#include "base/options.hpp"
#include "jobs/checkpoints.hpp"
#include "jobs/network_options.hpp"
#include "nn/train/fit.hpp"

namespace nanoatlas::jobs {

struct TrainOptions {
    std::string corpus, output, arch = "resnet18", init = "auto";
    std::string optimizer = "adamw", schedule = "cosine";
    std::string augment = "auto", keep = "best", sampling = "all", old_classes = "auto";
    NetworkChoice network;
    int size = 0;
    double rate = 0, crop = 0.7, target_precision = 0.95;
    bool sync_bn = true, class_weights = false, find_rate = false;
    CheckpointOptions checkpoint;
    nn::FitOptions fit;
};

base::OptionTable describe(TrainOptions& options);

/// Turns the words of the options into what training takes. throws InputError
void complete(TrainOptions& options);

}  // namespace nanoatlas::jobs
