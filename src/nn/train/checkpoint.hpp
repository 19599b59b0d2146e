// Where a training stands between two steps, in memory and as a file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "comm/communicator.hpp"
#include "nn/tensor.hpp"
#include "nn/train/best_models.hpp"

namespace nanoatlas::store {
class Provenance;
}

namespace nanoatlas::nn {

/// All that is needed to go on as if nothing had happened. Random numbers are functions of the
/// seed (a setting), the epoch and the step.
struct TrainingState {
    std::int64_t epoch = 0;  ///< being trained, from 0
    std::int64_t step = 0;   ///< next step of that epoch
    double loss_sum = 0;     ///< over the samples that the epoch has seen
    std::int64_t seen = 0, correct = 0;
    double seconds = 0;  ///< spent on the epoch so far

    TensorMap tensors;
    TensorMap average;                 ///< of them over the steps; empty: it is not wanted
    std::vector<TensorMap> optimizer;  ///< its buffers by name of the parameter
    std::int64_t optimizer_steps = 0;

    std::vector<BestModel> best;       ///< epochs so far, the best first
    std::vector<std::string> history;  ///< a JSON line for each epoch done

    /// What counts as the result so far: the average if there is one.
    const TensorMap& counting() const { return average.empty() ? tensors : average; }
};

/// Settings that a resumed training must share with the one that it goes on with: name and value.
using TrainingSettingsText = std::vector<std::pair<std::string, std::string>>;

/// checkpoint.h5 in the folder, there whole or not at all; the one before is replaced. Collective.
/// throws as store::ArtefactWriter does
void write_checkpoint(const std::string& folder, const TrainingState& state,
                      const TrainingSettingsText& settings, const store::Provenance& provenance,
                      const comm::Communicator& comm);

/// Nothing if the folder holds none. Collective.
/// throws InputError if it is damaged, or was written with other settings: names them
std::optional<TrainingState> read_checkpoint(const std::string& folder,
                                             const TrainingSettingsText& settings,
                                             const comm::Communicator& comm);

}  // namespace nanoatlas::nn
