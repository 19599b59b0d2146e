// Options of jobs that train: where checkpoints go, whether to go on from one, and until when.
#pragma once

#include <optional>
#include <string>

#include "base/options.hpp"
#include "comm/communicator.hpp"
#include "comm/signals.hpp"
#include "nn/train/hooks.hpp"
#include "store/provenance.hpp"

namespace nanoatlas::jobs {

struct CheckpointOptions {
    std::string folder;  ///< "": beside the output, until complete()
    bool resume = false;
    std::string time_limit;
    double time_limit_seconds = 0;  ///< 0: none; by complete()
};

/// --checkpoint, --time-limit and --resume.
/// prefix  before each help text: "autoencoder: "
/// files   in the folder: "checkpoint.h5, metrics.jsonl and curves.html"
void add_checkpoint_options(base::OptionTable& table, CheckpointOptions& options,
                            const std::string& prefix, const std::string& files);

/// The time limit in seconds, and the folder for an output of that name: MODEL.checkpoint for
/// MODEL.h5. throws InputError for a time limit that is none
void complete(CheckpointOptions& options, const std::string& output);

/// Collective. throws InputError if the folder cannot be made
void make_checkpoint_folder(const CheckpointOptions& options, const comm::Communicator& world);

/// What --resume goes on from, said on the way; nothing without it, or before the first checkpoint.
/// Collective. throws as nn::read_checkpoint does
std::optional<nn::TrainingState> earlier_state(const CheckpointOptions& options,
                                               const nn::TrainingSettingsText& settings,
                                               const comm::Communicator& world);

/// Hooks that stop at signals and in time, and keep the state in the folder. All arguments must
/// outlive them.
/// phase  under which saving is timed
nn::TrainingHooks checkpoint_hooks(const CheckpointOptions& options,
                                   const nn::TrainingSettingsText& settings,
                                   const comm::StopSignals& signals, const std::string& phase,
                                   store::Provenance& provenance, const comm::Communicator& world);

}  // namespace nanoatlas::jobs
