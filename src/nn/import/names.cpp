#include "nn/import/names.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "nn/import/conventions.hpp"

namespace nanoatlas::nn {

namespace {

constexpr int most_prefix_parts = 3;  ///< "module.model.backbone."

std::vector<std::string> names_of(const TensorMap& weights) {
    std::vector<std::string> names;
    for (const auto& [name, tensor] : weights) names.push_back(name);
    return names;
}

/// The lengths of all prefixes that a name may have: up to each of its first dots.
std::vector<std::size_t> prefix_lengths(const std::string& name) {
    std::vector<std::size_t> lengths = {0};
    while (lengths.size() <= most_prefix_parts) {
        const auto dot = name.find('.', lengths.back());
        if (dot == std::string::npos) break;
        lengths.push_back(dot + 1);
    }
    return lengths;
}

/// For each prefix, how many names behind it are the network's.
std::map<std::string, std::size_t> count_known(const std::vector<std::string>& names,
                                               const Convention& convention,
                                               const std::set<std::string>& ours) {
    std::map<std::string, std::size_t> known;
    for (const auto& name : names)
        for (const auto length : prefix_lengths(name))
            if (ours.contains(rename(name.substr(length), convention)))
                ++known[name.substr(0, length)];
    return known;
}

}  // namespace

Translation translate_by_name(const TensorMap& weights, const std::string& arch,
                              const std::vector<TensorSpec>& specs) {
    std::set<std::string> ours;
    for (const auto& spec : specs) ours.insert(spec.name);
    const auto names = names_of(weights);
    const Convention* best = nullptr;
    std::string prefix;
    std::size_t most = 0;
    for (const auto* convention : conventions_of(arch))
        for (const auto& [candidate, known] :
             count_known(count_blocks(names, *convention), *convention, ours))
            if (known > most) best = convention, prefix = candidate, most = known;
    if (best == nullptr) return {};

    Translation translation{.theirs = {}, .convention = best->whose, .prefix = prefix};
    const auto counted = count_blocks(names, *best);
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (!counted[i].starts_with(prefix)) continue;
        auto name = rename(counted[i].substr(prefix.size()), *best);
        if (ours.contains(name)) translation.theirs.emplace(std::move(name), names[i]);
    }
    return translation;
}

bool is_same_layer(const std::vector<std::int64_t>& a, const std::vector<std::int64_t>& b) {
    const auto without_ones = [](std::vector<std::int64_t> shape) {
        while (!shape.empty() && shape.back() == 1) shape.pop_back();
        return shape;
    };
    const auto is_flattening = [](const auto& flat, const auto& whole) {
        return flat.size() == 2 && whole.size() == 4 && flat[0] == whole[0] &&
               flat[1] == whole[1] * whole[2] * whole[3];
    };
    return without_ones(a) == without_ones(b) || is_flattening(a, b) || is_flattening(b, a);
}

}  // namespace nanoatlas::nn
