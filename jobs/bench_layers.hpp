// Where a network's time goes: a table by groups of layers.
#pragma once

#include <nlohmann/json.hpp>

#include "jobs/bare_convolutions.hpp"
#include "nn/profile.hpp"

namespace nanoatlas::jobs {

/// One object for each group of layers ("layer1", "features.denseblock2") in the order of the
/// graph: `layers`; `seconds` of a step, of it `forward`; `share` of all groups' time;
/// `gflop_per_second` of its convolutions and linear layers; `of_ceiling`, the time of those alone
/// over the group's (absent where it has none).
///
/// profile  of that many steps
/// samples  of this rank in a step
nlohmann::ordered_json layer_table(const nn::Graph& graph, const nn::Profile& profile,
                                   std::int64_t steps, std::int64_t samples, bool training,
                                   BareConvolutions& bare);

/// As text, a line each.
std::string layer_text(const nlohmann::ordered_json& table);

}  // namespace nanoatlas::jobs
