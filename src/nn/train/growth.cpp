#include "nn/train/growth.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "base/check.hpp"
#include "base/log.hpp"
#include "comm/distribution.hpp"
#include "nn/initialise.hpp"
#include "nn/zoo/zoo.hpp"

namespace nanoatlas::nn {
namespace {

/// Where a class of the new classifier comes from.
struct Origin {
    std::vector<std::int32_t> rows;  ///< of the old one; none: drawn anew
    double bias = 0;                 ///< added to the mean of theirs
};

std::vector<Origin> origins_of(const std::vector<std::string>& classes, const Taxonomy& old) {
    std::vector<Origin> origins;
    std::map<std::int32_t, int> taken;  // new classes by the old leaf that they begin with
    for (const auto& name : classes) {
        const auto label = old.find(name);
        Origin origin;
        const bool is_inner = label && *label >= old.leaves();
        if (label && !is_inner) {
            origin.rows = {*label};
            ++taken[*label];
        } else if (is_inner && old.names()[static_cast<std::size_t>(*label)] == name) {
            origin.rows = old.inner()[static_cast<std::size_t>(*label - old.leaves())];
            origin.bias = std::log(static_cast<double>(origin.rows.size()));
        }
        origins.push_back(std::move(origin));
    }
    for (auto& origin : origins)
        if (origin.rows.size() == 1) origin.bias -= std::log(taken[origin.rows[0]]);
    return origins;
}

/// A weight or bias of the classifier, [classes, ...]: rows with an origin in place of drawn ones.
void take_rows(HostTensor& tensor, const HostTensor& old, const std::vector<Origin>& origins) {
    const bool is_bias = tensor.shape.size() == 1;
    const auto width = tensor.values.size() / origins.size();
    for (std::size_t c = 0; c < origins.size(); ++c) {
        if (origins[c].rows.empty()) continue;
        for (std::size_t i = 0; i < width; ++i) {
            double sum = 0;
            for (const auto row : origins[c].rows)
                sum += static_cast<double>(old.values[static_cast<std::size_t>(row) * width + i]);
            const double mean = sum / static_cast<double>(origins[c].rows.size());
            tensor.values[c * width + i] =
                static_cast<float>(mean + (is_bias ? origins[c].bias : 0));
        }
    }
}

/// Images that have become large enough for it bring in an auxiliary output: its tensors are drawn.
void draw_absent_auxiliary(ModelFile& model, std::uint64_t seed) {
    const auto graph = graph_of(model);
    const auto is_needed = graph.ancestors(graph.output());
    TensorMap fresh;
    for (const auto& specs : {graph.parameters(), graph.buffers()})
        for (const auto& spec : specs) {
            if (is_needed[static_cast<std::size_t>(spec.node)] || model.tensors.contains(spec.name))
                continue;
            if (fresh.empty()) fresh = initial_tensors(graph, seed);
            model.tensors[spec.name] = fresh.at(spec.name);
        }
}

}  // namespace

OldClasses parse_old_classes(const std::string& word) {
    if (word == "auto") return OldClasses::automatic;
    if (word == "keep") return OldClasses::keep;
    VALIDATE(word == "drop", "--old-classes '{}' is none of auto, keep and drop", word);
    return OldClasses::drop;
}

bool knows_any(const std::vector<std::string>& known, const std::vector<std::string>& corpus) {
    const Taxonomy taxonomy(known);
    return std::any_of(corpus.begin(), corpus.end(),
                       [&](const auto& name) { return taxonomy.find(name).has_value(); });
}

std::vector<std::string> grown_classes(const std::vector<std::string>& known,
                                       const std::vector<std::string>& corpus, OldClasses old) {
    if (old == OldClasses::drop || (old == OldClasses::automatic && !knows_any(known, corpus)))
        return leaf_names(corpus);
    auto all = known;
    all.insert(all.end(), corpus.begin(), corpus.end());
    return leaf_names(all);
}

ModelFile adapted_model(ModelFile model, const std::vector<std::string>& classes, int size,
                        std::uint64_t seed) {
    if (size > 0) model.size = size;
    draw_absent_auxiliary(model, seed);
    if (model.classes == classes) return model;
    const auto origins = origins_of(classes, Taxonomy(model.classes));
    model.classes = classes;
    const auto ends = zoo::ends(model.arch);
    for (auto& [name, tensor] : initial_tensors(graph_of(model), seed)) {
        if (!ends.is_classifier(name)) continue;
        auto grown = tensor;
        const auto old = model.tensors.find(name);
        if (old != model.tensors.end()) take_rows(grown, old->second, origins);
        model.tensors[name] = std::move(grown);
    }
    return model;
}

void warn_of_absent_classes(const Taxonomy& taxonomy, const Samples& train) {
    std::set<std::int32_t> labels(train.labels.begin(), train.labels.end());
    std::vector<std::string> absent;
    for (std::int32_t leaf = 0; leaf < taxonomy.leaves(); ++leaf) {
        const bool occurs = std::any_of(labels.begin(), labels.end(), [&](std::int32_t label) {
            return taxonomy.lies_in(leaf, label);
        });
        if (!occurs) absent.push_back(taxonomy.names()[static_cast<std::size_t>(leaf)]);
    }
    if (!absent.empty())
        base::log_warning(fmt::format(
            "the training part has no images of {} of the {} classes ({}): nothing keeps the "
            "network from forgetting them; add images of them, or leave them out with "
            "--old-classes drop",
            absent.size(), taxonomy.leaves(), list_names(absent)));
    for (const auto label : labels) {
        if (label < taxonomy.leaves()) continue;
        const auto& leaves = taxonomy.inner()[static_cast<std::size_t>(label - taxonomy.leaves())];
        if (leaves.size() > 1) continue;
        base::log_warning(fmt::format(
            "'{}' has images of its own, and only '{}' below it: they count as that; if they are "
            "something else, give them a class beside it",
            taxonomy.names()[static_cast<std::size_t>(label)],
            taxonomy.names()[static_cast<std::size_t>(leaves[0])]));
    }
}

Retention::Retention(const ModelFile& old, const store::CorpusReader& corpus,
                     const Samples& samples, const Images& images, const InferenceOptions& options,
                     const comm::Communicator& comm)
    : old_(old.classes),
      samples_(relabelled(samples, corpus.classes(), old_).known),
      images_(images),
      options_(options),
      comm_(comm),
      before_(is_right(old)) {}

std::vector<std::uint8_t> Retention::is_right(const ModelFile& model) const {
    if (samples_.rows.empty()) return {};
    const ImageInputs inputs(images_, model.size, model.mean, model.std, std::nullopt, 0);
    auto network = inference_network(model, options_, {}, comm_);
    const auto logits = sample_logits(network, options_.batch, inputs, samples_, comm_);
    std::vector<std::optional<std::int32_t>> old_label;  // by class of the model
    for (const auto& name : model.classes) old_label.push_back(old_.find(name));
    const auto first = comm::row_block(std::ssize(samples_.rows), comm_).first;
    std::vector<std::uint8_t> right;
    for (auto row = logits.begin(); row != logits.end(); row += std::ssize(old_label)) {
        const auto best = std::max_element(row, row + std::ssize(old_label)) - row;
        const auto answer = old_label[static_cast<std::size_t>(best)];
        const auto truth = samples_.labels[static_cast<std::size_t>(first) + right.size()];
        right.push_back(answer && old_.lies_in(*answer, truth) ? 1 : 0);
    }
    return comm_.all_gather(right);
}

std::vector<Retention::ClassCounts> Retention::compare(const ModelFile& grown) const {
    const auto after = is_right(grown);
    std::map<std::int32_t, ClassCounts> counts;
    for (std::size_t i = 0; i < after.size(); ++i) {
        auto& of_class = counts[samples_.labels[i]];
        ++of_class.rows;
        of_class.right_before += before_[i];
        of_class.right_after += after[i];
    }
    std::vector<ClassCounts> classes;
    for (auto& [label, of_class] : counts) {
        of_class.name = old_.names()[static_cast<std::size_t>(label)];
        classes.push_back(std::move(of_class));
    }
    return classes;
}

Retention::ClassCounts Retention::sum(const std::vector<ClassCounts>& classes) {
    ClassCounts all;
    for (const auto& one : classes) {
        all.rows += one.rows;
        all.right_before += one.right_before;
        all.right_after += one.right_after;
    }
    return all;
}

}  // namespace nanoatlas::nn
