// A graph evaluated on 8-bit integers: what is computed on them, in which formats, by which stages.
#pragma once

#include <memory>
#include <vector>

#include "kernels/quantised.hpp"
#include "nn/ranges.hpp"
#include "nn/stage.hpp"

namespace nanoatlas::nn {

/// What a plan on integers is made with.
struct Quantisation {
    Ranges ranges;
    std::unique_ptr<kernels::QuantisedBackend> backend;
};

struct PlannedStage {
    int node;  ///< Group::first of the group that it computes, or converts values for
    std::unique_ptr<Stage> stage;
};

/// Convolutions, pooling, concatenations and batch norms work on integers, and so does a linear
/// layer whose input they put out; averages over an image put out f32. All else, the values that
/// are kept, and what only those read stays in f32; values are turned from one to the other where
/// a reader wants it. The inputs of a concatenation and of a pooling have its scale.
///
/// kept  by node: its value is wanted in f32
/// throws InputError if the range of a layer is missing
std::vector<PlannedStage> make_quantised_stages(const Fusion& fusion, const std::vector<bool>& kept,
                                                const Quantisation& quantisation, Wiring& wiring);

}  // namespace nanoatlas::nn
