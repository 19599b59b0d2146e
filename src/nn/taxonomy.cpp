#include "nn/taxonomy.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/path_parts.hpp"

namespace nanoatlas::nn {

std::string list_names(std::span<const std::string> names) {
    constexpr std::size_t most = 10;
    const auto shown = names.first(std::min(names.size(), most));
    return fmt::format("'{}'{}", fmt::join(shown, "', '"),
                       names.size() > most ? fmt::format(" and {} more", names.size() - most) : "");
}

std::vector<std::string> leaf_names(std::span<const std::string> names) {
    std::set<std::string, std::less<>> taken;  // inner nodes, and leaves that are listed already
    for (const auto& name : names)
        for (auto above = base::parent_of(name); !above.empty(); above = base::parent_of(above))
            taken.emplace(above);
    std::vector<std::string> leaves;
    for (const auto& name : names)
        if (taken.insert(name).second) leaves.push_back(name);
    return leaves;
}

Taxonomy::Taxonomy(std::span<const std::string> leaves)
    : leaves_(static_cast<std::int32_t>(leaves.size())), names_(leaves.begin(), leaves.end()) {
    std::map<std::string, std::vector<std::int32_t>, std::less<>> below;
    for (std::int32_t leaf = 0; leaf < leaves_; ++leaf) {
        const auto& name = leaves[static_cast<std::size_t>(leaf)];
        depth_ = std::max(depth_, base::parts_of(name));
        for (auto above = base::parent_of(name); !above.empty(); above = base::parent_of(above))
            below[std::string(above)].push_back(leaf);
    }
    for (std::int32_t leaf = 0; leaf < leaves_; ++leaf) {
        const auto found = below.find(leaves[static_cast<std::size_t>(leaf)]);
        if (found != below.end()) found->second.push_back(leaf);
    }
    for (auto& [name, members] : below) {
        std::sort(members.begin(), members.end());
        names_.push_back(name);
        inner_.push_back(std::move(members));
    }
}

std::optional<std::int32_t> Taxonomy::find_exactly(std::string_view name) const {
    const auto found = std::find(names_.begin(), names_.end(), name);
    if (found == names_.end()) return std::nullopt;
    return static_cast<std::int32_t>(found - names_.begin());
}

std::optional<std::int32_t> Taxonomy::find(std::string_view name) const {
    for (; !name.empty(); name = base::parent_of(name))
        if (const auto label = find_exactly(name)) return label;
    return std::nullopt;
}

int Taxonomy::depth_of(std::int32_t label) const {
    return base::parts_of(names_[static_cast<std::size_t>(label)]);
}

bool Taxonomy::lies_in(std::int32_t label, std::int32_t node) const {
    if (label == node || node < leaves_) return label == node;
    const auto& leaves = inner_[static_cast<std::size_t>(node - leaves_)];
    return std::binary_search(leaves.begin(), leaves.end(), label);
}

Taxonomy::Level Taxonomy::level(int depth) const {
    Level level;
    std::map<std::string, std::int32_t, std::less<>> number;
    for (std::int32_t leaf = 0; leaf < leaves_; ++leaf) {
        const auto& full = names_[static_cast<std::size_t>(leaf)];
        const auto name = depth < depth_ ? base::first_parts(full, depth) : full;
        const auto [entry, is_new] =
            number.emplace(name, static_cast<std::int32_t>(level.names.size()));
        if (is_new) level.names.emplace_back(name);
        level.of_label.push_back(entry->second);
    }
    for (std::size_t i = 0; i < inner_.size(); ++i) {
        const auto leaf = static_cast<std::size_t>(inner_[i].front());
        const bool is_deep = depth_of(leaves_ + static_cast<std::int32_t>(i)) >= depth;
        level.of_label.push_back(is_deep ? level.of_label[leaf] : -1);
    }
    return level;
}

std::vector<float> Taxonomy::Level::probabilities(std::span<const float> leaves) const {
    std::vector<double> sums(names.size(), 0);
    for (std::size_t leaf = 0; leaf < leaves.size(); ++leaf)
        sums[static_cast<std::size_t>(of_label[leaf])] += static_cast<double>(leaves[leaf]);
    return {sums.begin(), sums.end()};
}

float node_probability(std::span<const float> probabilities, std::span<const std::int32_t> leaves) {
    double sum = 0;
    for (const auto leaf : leaves)
        sum += static_cast<double>(probabilities[static_cast<std::size_t>(leaf)]);
    return static_cast<float>(sum);
}

}  // namespace nanoatlas::nn
