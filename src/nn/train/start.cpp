#include "nn/train/start.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "comm/distribution.hpp"
#include "nn/initialise.hpp"
#include "nn/zoo/zoo.hpp"

namespace nanoatlas::nn {

Samples labelled_samples(const store::CorpusReader& corpus, store::Part part) {
    const auto labels = corpus.labels();
    Samples samples;
    for (const auto row : corpus.rows_of(part)) {
        const auto label = labels[static_cast<std::size_t>(row)];
        if (label < 0) continue;
        samples.rows.push_back(row);
        samples.labels.push_back(label);
    }
    return samples;
}

Relabelled relabelled(const Samples& samples, const std::vector<std::string>& corpus_classes,
                      const Taxonomy& taxonomy) {
    std::vector<std::optional<std::int32_t>> label_of;
    label_of.reserve(corpus_classes.size());
    for (const auto& name : corpus_classes) label_of.push_back(taxonomy.find(name));
    Relabelled by_network;
    by_network.known.inner = taxonomy.inner();
    std::vector<bool> is_strange(corpus_classes.size());
    for (std::size_t i = 0; i < samples.rows.size(); ++i) {
        const auto place = static_cast<std::size_t>(samples.labels[i]);
        const auto label = label_of[place];
        auto& destination = label ? by_network.known : by_network.unknown;
        destination.rows.push_back(samples.rows[i]);
        destination.labels.push_back(label.value_or(samples.labels[i]));
        if (!label) is_strange[place] = true;
    }
    for (std::size_t c = 0; c < corpus_classes.size(); ++c)
        if (is_strange[c]) by_network.strange.push_back(corpus_classes[c]);
    return by_network;
}

PixelStatistics pixel_statistics(const Images& images, std::span<const std::int64_t> rows,
                                 const comm::Communicator& comm) {
    const auto block = comm::row_block(static_cast<std::int64_t>(rows.size()), comm);
    const auto pixels = static_cast<std::size_t>(images.height() * images.width());
    std::array<std::int64_t, 256> counts{};
    for (auto i = block.first; i < block.end(); ++i) {
        const auto* picture = images.row(rows[static_cast<std::size_t>(i)]);
        for (std::size_t p = 0; p < pixels; ++p) ++counts[picture[p]];
    }
    comm.sum(std::span<std::int64_t>(counts));
    double total = 0, sum = 0, squares = 0;
    for (std::size_t value = 0; value < counts.size(); ++value) {
        const auto count = static_cast<double>(counts[value]);
        const double grey = static_cast<double>(value) / 255;
        total += count;
        sum += count * grey;
        squares += count * grey * grey;
    }
    if (total == 0) return {};
    const double mean = sum / total;
    // Pictures of one grey value everywhere would divide by nothing.
    return {.mean = mean, .std = std::sqrt(std::max(squares / total - mean * mean, 1e-4))};
}

Graph graph_of(const ModelFile& model) {
    return zoo::make(model.arch, {.classes = static_cast<std::int64_t>(model.classes.size()),
                                  .channels = model.channels(),
                                  .size = model.size});
}

ModelFile fresh_model(const std::string& arch, const std::vector<std::string>& classes, int size,
                      const PixelStatistics& statistics, std::uint64_t seed) {
    ModelFile model{.arch = arch,
                    .classes = classes,
                    .mean = {statistics.mean},
                    .std = {statistics.std},
                    .size = size,
                    .tensors = {}};
    model.tensors = initial_tensors(graph_of(model), seed);
    return model;
}

std::vector<float> balanced_weights(const Samples& samples, std::size_t classes) {
    std::vector<double> counts(classes, 0);
    for (const auto label : samples.labels) {
        const auto place = static_cast<std::size_t>(label);
        if (place < classes) {
            ++counts[place];
            continue;
        }
        const auto& leaves = samples.inner[place - classes];
        for (const auto leaf : leaves)
            counts[static_cast<std::size_t>(leaf)] += 1 / static_cast<double>(leaves.size());
    }
    const auto occurring = static_cast<double>(classes) -
                           static_cast<double>(std::count(counts.begin(), counts.end(), 0));
    std::vector<float> weights;
    weights.reserve(counts.size());
    for (const double count : counts)
        weights.push_back(count == 0
                              ? 0.0F
                              : static_cast<float>(static_cast<double>(samples.labels.size()) /
                                                   (occurring * count)));
    return weights;
}

}  // namespace nanoatlas::nn
