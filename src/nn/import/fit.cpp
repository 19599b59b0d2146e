#include "nn/import/fit.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "base/check.hpp"
#include "nn/import/element.hpp"
#include "nn/initialise.hpp"
#include "nn/zoo/zoo.hpp"

namespace nanoatlas::nn {

namespace {

using Specs = std::vector<TensorSpec>;

constexpr std::int64_t published_classes = 1000;  ///< ImageNet's

Specs all_specs(const Graph& graph) {
    auto specs = graph.parameters();
    const auto buffers = graph.buffers();
    specs.insert(specs.end(), buffers.begin(), buffers.end());
    return specs;
}

std::size_t count_known(const TensorMap& weights, const Specs& specs) {
    return static_cast<std::size_t>(std::ranges::count_if(
        specs, [&](const TensorSpec& spec) { return weights.contains(spec.name); }));
}

/// Without the part up to the first dot, if all names share it: "model.conv1.weight".
std::optional<TensorMap> without_prefix(const TensorMap& weights) {
    const auto& first = weights.begin()->first;
    const auto dot = first.find('.');
    if (dot == std::string::npos) return std::nullopt;
    const auto prefix = first.substr(0, dot + 1);
    TensorMap shorter;
    for (const auto& [name, tensor] : weights) {
        if (!name.starts_with(prefix)) return std::nullopt;
        shorter.emplace(name.substr(prefix.size()), tensor);
    }
    return shorter;
}

/// A foreign name cut into what sorts it and what the tensor is.
struct ForeignName {
    std::string whole, layer, role;  ///< "squeezenet0_conv12", "weight"
};

std::optional<ForeignName> parse_foreign(const std::string& name) {
    static const std::array<std::pair<std::string_view, std::string_view>, 6> endings = {{
        {"running_mean", "running_mean"},
        {"running_var", "running_var"},
        {"gamma", "weight"},
        {"beta", "bias"},
        {"weight", "weight"},
        {"bias", "bias"},
    }};
    for (const auto& [ending, role] : endings)
        if (name.size() > ending.size() && name.ends_with(ending)) {
            const auto layer = name.substr(0, name.size() - ending.size() - 1);
            const bool is_norm = ending != "weight" && ending != "bias";
            return ForeignName{name, layer, (is_norm ? "norm " : "") + std::string(role)};
        }
    return std::nullopt;
}

/// "conv9" before "conv10".
bool natural_less(const std::string& a, const std::string& b) {
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    std::size_t i = 0, j = 0;
    while (i < a.size() && j < b.size()) {
        if (!is_digit(a[i]) || !is_digit(b[j])) {
            if (a[i] != b[j]) return a[i] < b[j];
            ++i, ++j;
            continue;
        }
        const auto end_a =
            std::ranges::find_if_not(a.begin() + static_cast<std::ptrdiff_t>(i), a.end(), is_digit);
        const auto end_b =
            std::ranges::find_if_not(b.begin() + static_cast<std::ptrdiff_t>(j), b.end(), is_digit);
        const std::string number_a(a.begin() + static_cast<std::ptrdiff_t>(i), end_a);
        const std::string number_b(b.begin() + static_cast<std::ptrdiff_t>(j), end_b);
        if (number_a.size() != number_b.size()) return number_a.size() < number_b.size();
        if (number_a != number_b) return number_a < number_b;
        i += number_a.size(), j += number_b.size();
    }
    return a.size() - i < b.size() - j;
}

std::string role_of(const TensorSpec& spec) {
    const auto role = spec.name.substr(spec.name.rfind('.') + 1);
    return (spec.kind == ParameterKind::norm ? "norm " : "") + role;
}

/// The file's tensors under the network's names, if they pair off in order with equal shapes.
std::optional<TensorMap> renamed_by_order(const TensorMap& weights, const Specs& specs) {
    std::map<std::string, std::vector<ForeignName>> foreign;
    for (const auto& [name, tensor] : weights) {
        const auto parsed = parse_foreign(name);
        if (!parsed) return std::nullopt;
        foreign[parsed->role].push_back(*parsed);
    }
    for (auto& [role, names] : foreign) std::ranges::sort(names, natural_less, &ForeignName::layer);
    std::map<std::string, std::size_t> used;
    TensorMap renamed;
    for (const auto& spec : specs) {
        const auto role = role_of(spec);
        const auto place = used[role]++;
        if (place >= foreign[role].size()) return std::nullopt;
        const auto& tensor = weights.at(foreign[role][place].whole);
        if (tensor.shape != spec.shape) return std::nullopt;
        renamed.emplace(spec.name, tensor);
    }
    return renamed.size() == weights.size() ? std::optional(renamed) : std::nullopt;
}

std::string list(const std::vector<std::string>& names) {
    constexpr std::size_t shown = 12;
    const auto end = names.begin() + static_cast<std::ptrdiff_t>(std::min(names.size(), shown));
    const auto rest = names.size() > shown ? fmt::format(" and {} more", names.size() - shown) : "";
    return fmt::format("{}{}", fmt::join(names.begin(), end, ", "), rest);
}

/// The extent of a node's weight in the file; `otherwise` if it is not there.
std::int64_t extent_of(const TensorMap& weights, const std::string& node, std::size_t dimension,
                       std::int64_t otherwise) {
    const auto found = weights.find(node + ".weight");
    return found != weights.end() && found->second.shape.size() > dimension
               ? found->second.shape[dimension]
               : otherwise;
}

/// Takes each tensor of the network from the file or draws it; objects to what cannot be.
class Fitter {
  public:
    Fitter(const TensorMap& weights, const Graph& graph, const FitOptions& options)
        : weights_(weights),
          graph_(graph),
          options_(options),
          classifier_(zoo::ends(options.arch).classifier) {}

    void take(const TensorSpec& spec, bool other_classes, Fit& fit) {
        const auto found = weights_.find(spec.name);
        const bool is_head = spec.name.starts_with(classifier_ + ".");
        if (is_head && other_classes) return draw(spec, fit);
        if (found == weights_.end()) {
            missing_.push_back(spec.name);
            return draw(spec, fit);
        }
        if (found->second.shape != spec.shape)
            wrong_.push_back(fmt::format("{} is {} instead of {}", spec.name,
                                         shape_text(found->second.shape), shape_text(spec.shape)));
        fit.tensors.emplace(spec.name, found->second);
    }

    void check(const Fit& fit) const {
        const auto wanted = fit.tensors.size();
        const auto surplus =
            fit.surplus.empty() ? "" : fmt::format("; not of this network: {}", list(fit.surplus));
        VALIDATE(wrong_.empty(),
                 "the weights are not those of {} ({} tensors of another shape: {}{}); choose "
                 "another --arch",
                 options_.arch, wrong_.size(), list(wrong_), surplus);
        VALIDATE(fit.drawn.size() < wanted,
                 "none of the tensors of {} is among the weights{}; choose another --arch",
                 options_.arch, surplus);
        VALIDATE(missing_.empty() || options_.partial,
                 "the weights of {} are incomplete ({} of {} tensors are missing: {}{}); choose "
                 "another --arch, or draw what is missing with --partial on",
                 options_.arch, missing_.size(), wanted, list(missing_), surplus);
    }

  private:
    void draw(const TensorSpec& spec, Fit& fit) {
        if (fresh_.empty()) fresh_ = initial_tensors(graph_, options_.seed);
        fit.tensors.emplace(spec.name, fresh_.at(spec.name));
        fit.drawn.push_back(spec.name);
    }

    const TensorMap& weights_;
    const Graph& graph_;
    const FitOptions& options_;
    TensorMap fresh_;  ///< made when first needed
    std::string classifier_;
    std::vector<std::string> missing_, wrong_;
};

}  // namespace

Fit fit_weights(TensorMap weights, const FitOptions& options) {
    Fit fit;
    const auto ends = zoo::ends(options.arch);
    const auto make = [&](std::int64_t classes, std::int64_t channels) {
        return zoo::make(options.arch,
                         {.classes = classes, .channels = channels, .size = options.size});
    };
    const auto published = all_specs(make(published_classes, 3));
    if (count_known(weights, published) == 0)
        if (auto shorter = without_prefix(weights)) weights = std::move(*shorter);
    if (count_known(weights, published) == 0)
        if (auto renamed = renamed_by_order(weights, published)) {
            weights = std::move(*renamed);
            fit.by_order = true;
        }

    const auto file_classes = extent_of(weights, ends.classifier, 0, 0);
    fit.classes = options.classes > 0 ? options.classes
                                      : (file_classes > 0 ? file_classes : published_classes);
    fit.channels = extent_of(weights, ends.stem, 1, 3);
    VALIDATE(
        fit.channels == 1 || fit.channels == 3,
        "the weights' first layer reads {} channels (grey has 1, colour 3); choose another network",
        fit.channels);
    const auto graph = make(fit.classes, fit.channels);
    const auto specs = all_specs(graph);
    for (const auto& [name, tensor] : weights)
        if (std::ranges::find(specs, name, &TensorSpec::name) == specs.end())
            fit.surplus.push_back(name);
    Fitter fitter(weights, graph, options);
    for (const auto& spec : specs)
        fitter.take(spec, options.classes > 0 && file_classes != options.classes, fit);
    fitter.check(fit);
    return fit;
}

}  // namespace nanoatlas::nn
