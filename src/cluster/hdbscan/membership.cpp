#include "cluster/hdbscan/membership.hpp"

#include <algorithm>
#include <cmath>

namespace nanoatlas::cluster {
namespace {

std::size_t at(std::int64_t row) {
    return static_cast<std::size_t>(row);
}

}  // namespace

std::vector<double> deaths(const CondensedTree& tree) {
    std::vector<double> death(at(tree.clusters), 0);
    for (std::size_t line = 0; line < tree.lines(); ++line) {
        auto& greatest = death[tree.place(tree.parent[line])];
        greatest = std::max(greatest, tree.lambda[line]);
    }
    return death;
}

std::vector<std::int32_t> labels_of_clusters(const CondensedTree& tree,
                                             const SelectedClusters& selected) {
    std::vector<std::int32_t> label(at(tree.clusters), -1);
    for (std::size_t i = 0; i < selected.count(); ++i)
        label[tree.place(selected.number[i])] = static_cast<std::int32_t>(i);
    for (std::size_t line = 0; line < tree.lines(); ++line)
        if (!tree.is_row(line) && label[tree.place(tree.child[line])] < 0)
            label[tree.place(tree.child[line])] = label[tree.place(tree.parent[line])];
    return label;
}

std::vector<std::int32_t> labels(const CondensedTree& tree, const SelectedClusters& selected,
                                 const SelectionOptions& options) {
    const auto of_cluster = labels_of_clusters(tree, selected);
    const bool root_alone = selected.count() == 1 && selected.number[0] == tree.rows;
    const double least = options.epsilon > 0 ? 1 / options.epsilon : deaths(tree)[0];
    std::vector<std::int32_t> label(at(tree.rows));
    for (std::size_t line = 0; line < tree.lines(); ++line) {
        if (!tree.is_row(line)) continue;
        label[at(tree.child[line])] = root_alone && tree.lambda[line] < least
                                          ? -1
                                          : of_cluster[tree.place(tree.parent[line])];
    }
    return label;
}

std::vector<double> probabilities(const CondensedTree& tree, const SelectedClusters& selected,
                                  std::span<const std::int32_t> label) {
    const auto death = deaths(tree);
    std::vector<double> probability(at(tree.rows), 0);
    for (std::size_t line = 0; line < tree.lines(); ++line) {
        if (!tree.is_row(line)) continue;
        const auto row = at(tree.child[line]);
        if (label[row] < 0) continue;
        const double greatest = death[tree.place(selected.number[at(label[row])])];
        probability[row] =
            std::isinf(tree.lambda[line]) ? 1 : std::min(tree.lambda[line], greatest) / greatest;
    }
    return probability;
}

std::vector<double> outlier_scores(const CondensedTree& tree) {
    auto death = deaths(tree);
    for (std::size_t line = tree.lines(); line-- > 0;)
        if (!tree.is_row(line)) {
            auto& above = death[tree.place(tree.parent[line])];
            above = std::max(above, death[tree.place(tree.child[line])]);
        }
    std::vector<double> score(at(tree.rows), 0);
    for (std::size_t line = 0; line < tree.lines(); ++line) {
        if (!tree.is_row(line) || std::isinf(tree.lambda[line])) continue;
        const double greatest = death[tree.place(tree.parent[line])];
        score[at(tree.child[line])] =
            std::isinf(greatest) ? 1 : (greatest - tree.lambda[line]) / greatest;
    }
    return score;
}

std::vector<double> persistences(const CondensedTree& tree, const SelectedClusters& selected,
                                 std::span<const std::int32_t> label) {
    std::vector<double> size(selected.count(), 0);
    for (const auto of_row : label)
        if (of_row >= 0) ++size[at(of_row)];
    const double greatest = *std::max_element(tree.lambda.begin(), tree.lambda.end());
    std::vector<double> persistence;
    for (std::size_t i = 0; i < selected.count(); ++i)
        persistence.push_back(std::isinf(greatest) || size[i] == 0
                                  ? 1
                                  : selected.stability[i] / (size[i] * greatest));
    return persistence;
}

}  // namespace nanoatlas::cluster
