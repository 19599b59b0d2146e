// What a training begins with: the samples of a corpus, and a model for their classes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "nn/graph.hpp"
#include "nn/model_file.hpp"
#include "nn/taxonomy.hpp"
#include "nn/train/evaluation.hpp"
#include "store/corpus.hpp"

namespace nanoatlas::nn {

/// The labelled rows of a part of a corpus.
Samples labelled_samples(const store::CorpusReader& corpus, store::Part part);

/// Samples of a corpus by the classes of a network.
struct Relabelled {
    Samples known;                     ///< labelled as the network's taxonomy numbers them
    Samples unknown;                   ///< of classes that it does not know: the corpus's labels
    std::vector<std::string> strange;  ///< names of those classes
};
/// By name; a class that lies below one of the network's counts as that.
Relabelled relabelled(const Samples& samples, const std::vector<std::string>& corpus_classes,
                      const Taxonomy& taxonomy);

/// Mean and standard deviation of grey values in [0, 1].
struct PixelStatistics {
    double mean = 0.5, std = 0.25;
};
/// Of the rows' pictures, from exact counts of the values, so the same on any number of ranks.
/// Collective.
PixelStatistics pixel_statistics(const Images& images, std::span<const std::int64_t> rows,
                                 const comm::Communicator& comm);

/// The graph that a model's tensors belong to.
Graph graph_of(const ModelFile& model);

/// A grey network with random weights.
ModelFile fresh_model(const std::string& arch, const std::vector<std::string>& classes, int size,
                      const PixelStatistics& statistics, std::uint64_t seed);

/// By class: weights that give all classes that occur the same share of the loss, mean 1 over the
/// samples; 0 for classes that don't occur. A sample of an inner node counts for each of its leaves
/// by the same part.
std::vector<float> balanced_weights(const Samples& samples, std::size_t classes);

}  // namespace nanoatlas::nn
