// A network run over rows: probabilities, and how well they match the labels.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "nn/network.hpp"
#include "nn/train/inputs.hpp"
#include "nn/train/metrics.hpp"

namespace nanoatlas::nn {

/// Labelled rows of a corpus.
struct Samples {
    std::vector<std::int64_t> rows{};
    std::vector<std::int32_t> labels{};  ///< [rows], as nn/taxonomy.hpp numbers them
    InnerNodes inner{};                  ///< of the network's taxonomy
};

/// Makes inputs of rows, a batch at a time: use(first, images), position of its first row and
/// [rows of the batch, elements].
using UseInputs = std::function<void(std::int64_t first, const std::vector<float>& images)>;
void for_each_batch(std::int64_t batch, const Inputs& inputs, std::span<const std::int64_t> rows,
                    const UseInputs& use);

/// Passes this rank's rows through the network, a batch at a time; after each batch calls
/// use(first, logits): position of its first row and logits [rows of the batch, classes]. Not
/// collective.
using UseBatch = std::function<void(std::int64_t first, std::span<const float> logits)>;
void forward_rows(Network& network, std::int64_t batch, const Inputs& inputs,
                  std::span<const std::int64_t> rows, const UseBatch& use);

/// Logits [n, classes] to the probabilities softmax(logits / temperature), in place.
void softmax(std::span<float> logits, std::size_t classes, double temperature = 1);

/// Logits [n, classes] of this rank's block of the samples. Not collective.
std::vector<float> sample_logits(Network& network, std::int64_t batch, const Inputs& inputs,
                                 const Samples& samples, const comm::Communicator& comm);

/// Judgements of all samples, on every rank, in order.
/// Collective.
///
/// logits  of this rank's block, as sample_logits() gives them
/// level   null: by the network's classes; else by the level's, of the samples that have one there
std::vector<Judgement> judge_logits(std::span<const float> logits, double temperature,
                                    const Samples& samples, const Taxonomy::Level* level,
                                    const comm::Communicator& comm);

/// Both, for a network as it is. Collective.
std::vector<Judgement> judge_samples(Network& network, std::int64_t batch, const Inputs& inputs,
                                     const Samples& samples, const comm::Communicator& comm);

}  // namespace nanoatlas::nn
