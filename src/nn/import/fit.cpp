#include "nn/import/fit.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <set>

#include "base/check.hpp"
#include "nn/import/element.hpp"
#include "nn/import/names.hpp"
#include "nn/initialise.hpp"
#include "nn/zoo/zoo.hpp"

namespace nanoatlas::nn {

namespace {

using Specs = std::vector<TensorSpec>;

constexpr std::int64_t published_classes = 1000;  ///< ImageNet's
constexpr std::int64_t most_classes = 1'000'000;

Specs specs_of(const Graph& graph) {
    auto specs = graph.parameters();
    const auto buffers = graph.buffers();
    specs.insert(specs.end(), buffers.begin(), buffers.end());
    return specs;
}

std::string list(const std::vector<std::string>& names) {
    constexpr std::size_t shown = 12;
    const auto end = names.begin() + static_cast<std::ptrdiff_t>(std::min(names.size(), shown));
    const auto rest = names.size() > shown ? fmt::format(" and {} more", names.size() - shown) : "";
    return fmt::format("{}{}", fmt::join(names.begin(), end, ", "), rest);
}

/// A file's tensors by a network's names.
class NamedWeights {
  public:
    NamedWeights(TensorMap& weights, const std::string& arch, const Specs& specs)
        : weights_(weights), names_(translate_by_name(weights, arch, specs)) {
        if (!names_.theirs.empty()) return;
        names_ = translate_by_order(weights, arch, specs);
        by_order_ = !names_.theirs.empty();
    }

    HostTensor* find(const std::string& name) const {
        const auto known = names_.theirs.find(name);
        return known == names_.theirs.end() ? nullptr : &weights_.at(known->second);
    }

    /// The extent of a node's weight; `otherwise` if it is not there.
    std::int64_t extent_of(const std::string& node, std::size_t dimension,
                           std::int64_t otherwise) const {
        const auto* weight = find(node + ".weight");
        return weight != nullptr && weight->shape.size() > dimension ? weight->shape[dimension]
                                                                     : otherwise;
    }

    /// The file's names that the network has no tensor for.
    std::vector<std::string> surplus() const {
        std::set<std::string_view> used;
        for (const auto& [ours, theirs] : names_.theirs) used.insert(theirs);
        std::vector<std::string> rest;
        for (const auto& [name, tensor] : weights_)
            if (!used.contains(name)) rest.push_back(printable(name));
        return rest;
    }

    std::string naming() const {
        if (by_order_) return "names of no known convention, matched by order and shape";
        const auto whose =
            names_.convention.empty() ? "names" : fmt::format("names of {}", names_.convention);
        if (!names_.prefix.empty()) return fmt::format("{} behind '{}'", whose, names_.prefix);
        return names_.convention.empty() ? "" : whose;
    }

  private:
    TensorMap& weights_;
    Translation names_;
    bool by_order_ = false;
};

/// What of a network a file has.
struct Comparison {
    Specs taken, drawn, auxiliary;
    std::vector<std::string> missing, wrong;  ///< wrong: with the shapes
    bool only_norms_missing = true;           ///< all that is missing belongs to norms
};

/// other_classes: classifiers are drawn even if they are there
Comparison compare(const NamedWeights& weights, const Graph& graph, const std::string& arch,
                   bool other_classes) {
    const auto ends = zoo::ends(arch);
    const auto is_needed = graph.ancestors(graph.output());
    Comparison comparison;
    for (const auto& spec : specs_of(graph)) {
        const auto* tensor = weights.find(spec.name);
        if (other_classes && ends.is_classifier(spec.name)) {
            comparison.drawn.push_back(spec);
        } else if (tensor == nullptr && !is_needed[static_cast<std::size_t>(spec.node)]) {
            comparison.auxiliary.push_back(spec);
        } else if (tensor == nullptr) {
            comparison.drawn.push_back(spec);
            comparison.missing.push_back(spec.name);
            comparison.only_norms_missing &= spec.kind == ParameterKind::norm;
        } else {
            comparison.taken.push_back(spec);
            if (!is_same_layer(tensor->shape, spec.shape))
                comparison.wrong.push_back(fmt::format("{} is {} instead of {}", spec.name,
                                                       shape_text(tensor->shape),
                                                       shape_text(spec.shape)));
        }
    }
    return comparison;
}

std::int64_t channels_of(const NamedWeights& weights, const std::string& arch) {
    return weights.extent_of(zoo::ends(arch).stem, 1, 3);
}

/// Another network that the weights are complete for and that leaves fewest of them over, fewer
/// than `surplus`; empty if there is none.
std::string find_better_network(TensorMap& weights, const std::string& than, std::size_t surplus) {
    std::string best;
    for (const auto& arch : zoo::names()) {
        if (arch == than) continue;
        const auto specs = specs_of(zoo::make(arch, {}));
        const NamedWeights named(weights, arch, specs);
        const auto left_over = named.surplus().size();
        if (left_over >= surplus || left_over == weights.size()) continue;
        const auto graph = zoo::make(arch, {.channels = channels_of(named, arch) == 1 ? 1 : 3});
        const auto comparison = compare(named, graph, arch, true);
        if (!comparison.missing.empty() || !comparison.wrong.empty()) continue;
        best = arch;
        surplus = left_over;
    }
    return best;
}

/// What to do about weights that do not fit.
std::string advice(TensorMap& weights, const std::string& arch, std::size_t surplus) {
    const auto other = find_better_network(weights, arch, surplus);
    return other.empty() ? "choose another --arch"
                         : fmt::format("they fit {0}, give --arch {0}", other);
}

/// throws InputError if the weights are not the network's, saying which tensors disagree
void check(const Comparison& comparison, TensorMap& weights, const Fit& fit,
           const FitOptions& options) {
    const auto& [taken, drawn, auxiliary, missing, wrong, only_norms_missing] = comparison;
    const auto total = taken.size() + drawn.size() + auxiliary.size();
    const auto surplus =
        fit.surplus.empty() ? "" : fmt::format("; not of this network: {}", list(fit.surplus));
    VALIDATE(wrong.empty(),
             "the weights are not those of {} ({} tensors of another shape: {}{}); {}",
             options.arch, wrong.size(), list(wrong), surplus,
             advice(weights, options.arch, weights.size()));
    VALIDATE(!taken.empty(), "none of the tensors of {} is among the weights{}; {}", options.arch,
             surplus, advice(weights, options.arch, weights.size()));
    // torch.onnx.export gives a folded convolution a new name, or leaves it the old one.
    const bool is_folded =
        only_norms_missing || std::ranges::any_of(fit.surplus, [](const std::string& name) {
            return name.starts_with("onnx::Conv");
        });
    VALIDATE(missing.empty() || options.partial,
             "the weights of {} are incomplete ({} of {} tensors are missing: {}{}); {}",
             options.arch, missing.size(), total, list(missing), surplus,
             is_folded ? "export them without folding norms into convolutions"
                       : advice(weights, options.arch, weights.size()) +
                             ", or draw what is missing with --partial on");
    if (missing.empty() && !fit.surplus.empty())
        VALIDATE(find_better_network(weights, options.arch, fit.surplus.size()).empty(),
                 "the weights are not those of {} (it has no tensors {}); {}", options.arch,
                 list(fit.surplus), advice(weights, options.arch, fit.surplus.size()));
}

}  // namespace

Fit fit_weights(TensorMap weights, const FitOptions& options) {
    const auto ends = zoo::ends(options.arch);
    const NamedWeights named(weights, options.arch,
                             specs_of(zoo::make(options.arch, {.size = options.size})));
    const auto file_classes = named.extent_of(ends.classifier, 0, 0);
    VALIDATE(file_classes <= most_classes,
             "the weights' classifier has {} classes (at most {} make sense); choose another file",
             file_classes, most_classes);
    Fit fit{.classes = options.classes, .surplus = named.surplus(), .naming = named.naming()};
    if (fit.classes == 0) fit.classes = file_classes > 0 ? file_classes : published_classes;
    fit.channels = channels_of(named, options.arch);
    VALIDATE(
        fit.channels == 1 || fit.channels == 3,
        "the weights' first layer reads {} channels (grey has 1, colour 3); choose another network",
        fit.channels);
    const auto graph = zoo::make(
        options.arch, {.classes = fit.classes, .channels = fit.channels, .size = options.size});
    const auto comparison =
        compare(named, graph, options.arch, options.classes > 0 && options.classes != file_classes);
    check(comparison, weights, fit, options);

    for (const auto& spec : comparison.taken)
        fit.tensors.emplace(spec.name,
                            HostTensor{spec.shape, std::move(named.find(spec.name)->values)});
    if (comparison.drawn.empty() && comparison.auxiliary.empty()) return fit;
    auto fresh = initial_tensors(graph, options.seed);
    const auto draw = [&](const Specs& specs, std::vector<std::string>& names) {
        for (const auto& spec : specs) {
            names.push_back(spec.name);
            fit.tensors.emplace(spec.name, std::move(fresh.at(spec.name)));
        }
    };
    draw(comparison.drawn, fit.drawn);
    draw(comparison.auxiliary, fit.auxiliary);
    return fit;
}

}  // namespace nanoatlas::nn
