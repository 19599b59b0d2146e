// The part of a network behind its features, as a network of its own: with a frozen backbone the
// features are computed once, and only this part is trained on them.
#pragma once

#include <memory>
#include <optional>

#include "nn/train/evaluation.hpp"

namespace nanoatlas::nn {

/// Nodes from the features to the output, whose input is the features; names are kept. Nothing if
/// the output needs more than the features, or layers other than linear, dropout and activations.
std::optional<Graph> head_of(const Graph& graph);

/// Features of the rows on every rank, as inputs of the head; each rank computes its block.
/// all_rows: of the corpus. Collective.
FeatureInputs compute_features(const Graph& graph, const TensorMap& tensors,
                               const NetworkOptions& options, const Inputs& inputs,
                               std::span<const std::int64_t> rows, std::int64_t all_rows,
                               const comm::Communicator& comm);

}  // namespace nanoatlas::nn
