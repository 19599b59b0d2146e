#include "jobs/bench_layers.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>

namespace nanoatlas::jobs {
namespace {

bool has_digit(const std::string& text) {
    return std::ranges::any_of(text, [](unsigned char c) { return std::isdigit(c) != 0; });
}

/// "layer1" of "layer1.0.conv2", "features.3" of "features.3.conv.0": up to the first part with a
/// number in it.
std::string group_name(const std::string& node) {
    for (std::size_t end = node.find('.'); end != std::string::npos; end = node.find('.', end + 1))
        if (has_digit(node.substr(0, end))) return node.substr(0, end);
    return node;
}

/// Without parameters and without a name of its own, a node counts to the one before.
bool is_named(const nn::Node& node) {
    return node.op != nn::Op::add && node.op != nn::Op::relu && node.op != nn::Op::relu6 &&
           node.op != nn::Op::gelu && node.op != nn::Op::max_pool &&
           node.op != nn::Op::average_pool && node.op != nn::Op::dropout &&
           node.op != nn::Op::stochastic_depth;
}

struct Group {
    std::string name;
    nn::StageSeconds stages;
    double operations = 0, bare = 0;
};

std::vector<Group> collect(const nn::Graph& graph, const nn::Profile& profile,
                           const std::map<int, double>& bare) {
    std::vector<Group> groups;
    for (const auto& [index, seconds] : profile) {
        const auto& node = graph.nodes()[static_cast<std::size_t>(index)];
        const auto name = group_name(node.name);
        if (groups.empty() || (is_named(node) && groups.back().name != name))
            groups.push_back({.name = name, .stages = {}});
        auto& group = groups.back();
        group.stages.forward += seconds.forward;
        group.stages.backward += seconds.backward;
        const auto alone = bare.find(index);
        if (alone == bare.end()) continue;
        group.bare += alone->second;
        group.operations += operations(graph, node);
    }
    return groups;
}

}  // namespace

nlohmann::ordered_json layer_table(const nn::Graph& graph, const nn::Profile& profile,
                                   std::int64_t steps, std::int64_t samples, bool training,
                                   BareConvolutions& bare) {
    const auto groups = collect(graph, profile, bare.seconds(3));
    double all = 0;
    for (const auto& group : groups) all += group.stages.forward + group.stages.backward;
    auto table = nlohmann::ordered_json::array();
    for (const auto& group : groups) {
        const double sum = group.stages.forward + group.stages.backward;
        const double seconds = sum / static_cast<double>(steps);
        nlohmann::ordered_json row = {
            {"layers", group.name},
            {"seconds", seconds},
            {"forward", group.stages.forward / static_cast<double>(steps)},
            {"share", sum / all}};
        if (group.operations > 0) {
            const double passes = training ? 3 : 1;  // backward: by the data and by the weights
            row["gflop_per_second"] =
                passes * group.operations * static_cast<double>(samples) / seconds / 1e9;
            row["of_ceiling"] = group.bare / seconds;
        }
        table.push_back(row);
    }
    return table;
}

std::string layer_text(const nlohmann::ordered_json& table) {
    auto text = fmt::format("{:<28}{:>10}{:>9}{:>8}{:>12}\n", "layers", "ms", "share", "GF/s",
                            "of ceiling");
    for (const auto& row : table) {
        text += fmt::format("{:<28}{:>10.2f}{:>8.1f}%", row["layers"].get<std::string>(),
                            1e3 * row["seconds"].get<double>(), 1e2 * row["share"].get<double>());
        if (row.contains("of_ceiling"))
            text += fmt::format("{:>8.0f}{:>12.2f}", row["gflop_per_second"].get<double>(),
                                row["of_ceiling"].get<double>());
        text += '\n';
    }
    return text;
}

}  // namespace nanoatlas::jobs
