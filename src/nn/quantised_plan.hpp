// A graph evaluated on 8-bit integers: what is computed on them, in which formats, by which stages.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "kernels/quantised.hpp"
#include "nn/channel_format.hpp"
#include "nn/stage.hpp"
#include "nn/weight_rounding.hpp"

namespace nanoatlas::nn {

/// What a plan on integers is made with.
struct Quantisation {
    std::vector<ChannelFormat> formats;     ///< by storage
    std::map<int, RoundedWeights> weights;  ///< of convolutions and linear layers, by Group::first
    std::unique_ptr<kernels::QuantisedBackend> backend;
};

/// Which groups are computed on integers, by Group::first: convolutions, pooling, concatenations
/// and batch norms, and linear layers whose input those put out. The first convolutions, up to a
/// twentieth of all multiplications, stay in f32: their errors pass through all the others.
///
/// kept  by node: its value is wanted in f32
std::vector<bool> computed_on_integers(const Fusion& fusion, const std::vector<bool>& kept,
                                       const Wiring& wiring);

struct PlannedStage {
    int node;  ///< Group::first of the group that it computes, or converts values for
    std::unique_ptr<Stage> stage;
};

/// What is not computed on integers, sums and what is added, the values that are kept, and what
/// only those read stays in f32; values are turned from one to the other where a reader wants it.
std::vector<PlannedStage> make_quantised_stages(const Fusion& fusion, const std::vector<bool>& kept,
                                                const Quantisation& quantisation, Wiring& wiring);

}  // namespace nanoatlas::nn
