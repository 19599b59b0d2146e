#include "atlas/split_trees.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <functional>

#include "atlas/charts.hpp"
#include "atlas/model.hpp"
#include "atlas/page_parts.hpp"
#include "atlas/svg.hpp"
#include "atlas/text.hpp"

namespace nanoatlas::atlas {
namespace {

std::size_t at(std::int64_t place) {
    return static_cast<std::size_t>(place);
}

/// The merges of one cluster, still with the nodes of the whole tree.
struct ClusterNodes {
    std::vector<std::int64_t> images, centre;  ///< by node of the whole tree
    std::vector<std::int32_t> root;            ///< by cluster; -1: it has no peak
};

ClusterNodes gather_nodes(const MergeTree& tree, const std::vector<std::int32_t>& label,
                          int clusters) {
    const auto peaks = tree.centre.size();
    ClusterNodes nodes{.images = std::vector<std::int64_t>(peaks + tree.significance.size()),
                       .centre = tree.centre,
                       .root = std::vector<std::int32_t>(at(clusters), -1)};
    for (const auto peak : tree.peak) ++nodes.images[at(peak)];
    const auto cluster_of = [&](std::int64_t node) { return label[at(nodes.centre[at(node)])]; };
    for (std::size_t p = 0; p < peaks; ++p)
        if (const auto k = cluster_of(static_cast<std::int64_t>(p)); k >= 0)
            nodes.root[at(k)] = static_cast<std::int32_t>(p);
    for (std::size_t m = 0; m < tree.significance.size(); ++m) {
        const auto a = tree.nodes[2 * m], b = tree.nodes[2 * m + 1];
        nodes.images[peaks + m] = nodes.images[at(a)] + nodes.images[at(b)];
        nodes.centre.push_back(nodes.centre[at(a)]);
        if (const auto k = cluster_of(a); k >= 0 && k == cluster_of(b))
            nodes.root[at(k)] = static_cast<std::int32_t>(peaks + m);
    }
    return nodes;
}

SplitTree take_apart(const MergeTree& tree, const ClusterNodes& nodes, std::int32_t root,
                     std::size_t most) {
    const auto peaks = std::ssize(tree.centre);
    SplitTree split;
    std::vector<std::int32_t> node;  // of each part
    const auto add = [&](std::int32_t of) {
        split.parts.push_back({.centre = nodes.centre[at(of)], .images = nodes.images[at(of)]});
        node.push_back(of);
        return static_cast<int>(node.size()) - 1;
    };
    add(root);
    for (std::size_t leaves = 1; leaves < most; ++leaves) {
        int widest = -1;  // the part that falls apart at the highest Z
        for (int p = 0; p < std::ssize(node); ++p) {
            if (split.parts[at(p)].a >= 0 || node[at(p)] < peaks) continue;
            const double z = tree.significance[at(node[at(p)] - peaks)];
            if (z <= 0) continue;  // one at every significance
            if (widest < 0 || z > tree.significance[at(node[at(widest)] - peaks)]) widest = p;
        }
        if (widest < 0) break;
        const auto merge = at(node[at(widest)] - peaks);
        const int a = add(tree.nodes[2 * merge]), b = add(tree.nodes[2 * merge + 1]);
        auto& part = split.parts[at(widest)];
        part.a = a;
        part.b = b;
        part.significance = tree.significance[merge];
    }
    const std::function<void(int)> order = [&](int p) {
        const auto& part = split.parts[at(p)];
        if (part.a < 0) return split.leaves.push_back(p);
        order(part.a);
        order(part.b);
    };
    order(0);
    return split;
}

class SplitDrawing {
  public:
    SplitDrawing(const Atlas& atlas, const std::vector<const SplitTree*>& trees,
                 const std::string& root)
        : atlas_(atlas), trees_(trees), root_(root) {
        for (const auto* tree : trees) high_ = std::max(high_, tree->parts.front().significance);
        high_ = high_ > 0 ? 1.08 * high_ : 1;
    }

    std::string draw() {
        std::string inside;
        double y = top;
        for (const auto* tree : trees_) {
            inside += draw_tree(*tree, y);
            y += step * static_cast<double>(tree->leaves.size()) + gap;
        }
        std::string axis;
        for (const double tick : round_ticks(0, high_, 8)) {
            axis += svg_line(x_of(tick), top, x_of(tick), y - gap, "grid");
            axis += svg_text(x_of(tick), y - gap + 16, "middle", fmt::format("{:g}", tick));
        }
        axis += svg_text(left - 10, y - gap + 16, "end", "Z");
        return svg(width, y - gap + 26, "Parts of the clusters at lower significance Z",
                   axis + inside);
    }

  private:
    static constexpr double width = 900, left = 130, right = 640, top = 10, step = 20, gap = 10;

    double x_of(double z) const { return right - (right - left) * z / high_; }

    std::string draw_tree(const SplitTree& tree, double top_of_tree) const {
        std::vector<double> y(tree.parts.size());
        for (std::size_t i = 0; i < tree.leaves.size(); ++i)
            y[at(tree.leaves[i])] = top_of_tree + step * (static_cast<double>(i) + 0.5);
        for (auto p = tree.parts.size(); p-- > 0;)
            if (const auto& part = tree.parts[p]; part.a >= 0)
                y[p] = (y[at(part.a)] + y[at(part.b)]) / 2;
        std::string text = branch(tree, 0, left, y);
        text += fmt::format(R"(<a href="{}clusters/{}.html"><circle cx="{}" cy="{:.1f}" r="5" )"
                            R"(fill="{}"/>)",
                            root_, tree.cluster, left, y[0], cluster_colour(atlas_, tree.cluster)) +
                svg_text(left - 11, y[0] + 4, "end", cluster_name(tree.cluster)) + "</a>";
        return text;
    }

    /// A part from where its parent falls apart, and its own parts.
    std::string branch(const SplitTree& tree, int p, double from,
                       const std::vector<double>& y) const {
        const auto& part = tree.parts[at(p)];
        const double here = y[at(p)];
        if (part.a < 0) {
            const auto& path = atlas_.inputs.path[at(part.centre)];
            return svg_line(from, here, right, here, "branch") +
                   fmt::format(R"(<a href="{}index.html#image={}">)", root_, part.centre) +
                   svg_text(right + 10, here + 4, "start", shortened(path)) + "</a>" +
                   fmt::format(
                       R"(<text class="count" x="890" y="{:.1f}" text-anchor="end">{}</text>)",
                       here + 4, count_text(part.images));
        }
        const double x = x_of(part.significance);
        return svg_line(from, here, x, here, "branch") +
               svg_line(x, y[at(part.a)], x, y[at(part.b)], "branch") + branch(tree, part.a, x, y) +
               branch(tree, part.b, x, y);
    }

    static std::string shortened(const std::string& path) {
        constexpr std::size_t most = 28;
        const auto name = path.substr(path.rfind('/') + 1);
        return name.size() <= most ? name : "…" + name.substr(name.size() - most);
    }

    const Atlas& atlas_;
    const std::vector<const SplitTree*>& trees_;
    const std::string& root_;
    double high_ = 0;
};

}  // namespace

std::vector<SplitTree> split_trees(const MergeTree& tree, const std::vector<std::int32_t>& label,
                                   int clusters, std::size_t most) {
    std::vector<SplitTree> trees;
    const auto nodes = gather_nodes(tree, label, clusters);
    for (int k = 0; k < clusters; ++k) {
        trees.push_back(nodes.root[at(k)] < 0 ? SplitTree{}
                                              : take_apart(tree, nodes, nodes.root[at(k)], most));
        trees.back().cluster = k;
    }
    return trees;
}

std::string split_chart(const Atlas& atlas, const std::vector<const SplitTree*>& trees,
                        const std::string& root) {
    return SplitDrawing(atlas, trees, root).draw();
}

}  // namespace nanoatlas::atlas
