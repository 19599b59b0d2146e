// How a network is computed: the options by which several jobs are told.
#pragma once

#include <string>
#include <vector>

#include "base/options.hpp"

namespace nanoatlas::jobs {

struct NetworkChoice {
    std::string precision = "f32", backend = "onednn";
};

/// Adds --precision and --backend.
/// where       what stands before their help: "train, extract: "
/// precisions  that the job knows
void add_network_options(base::OptionTable& table, NetworkChoice& choice, const std::string& where,
                         const std::vector<std::string>& precisions);

}  // namespace nanoatlas::jobs
