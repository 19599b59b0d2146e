#include "atlas/pictures.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "atlas/charts.hpp"
#include "atlas/condensed_chart.hpp"
#include "atlas/dimension_chart.hpp"
#include "atlas/line_chart.hpp"
#include "atlas/page_parts.hpp"
#include "atlas/scan_charts.hpp"
#include "atlas/svg.hpp"
#include "atlas/text.hpp"
#include "atlas/web.hpp"

namespace nanoatlas::atlas {
namespace {

std::size_t at(std::int64_t place) {
    return static_cast<std::size_t>(place);
}

/// How often each label occurs in a cluster [classes + 1], the last unlabelled.
std::vector<std::int64_t> label_counts(const Atlas& atlas, int cluster) {
    std::vector<std::int64_t> counts(atlas.inputs.classes.size() + 1);
    for (const auto row : atlas.members[at(cluster)].rows) {
        const auto label = atlas.inputs.label[at(row)];
        ++(label < 0 ? counts.back() : counts[at(label)]);
    }
    return counts;
}

std::string main_style() {
    const std::string css(web_file("atlas.css"));
    const auto part = [&](const char* from, const char* to) {
        const auto begin = css.find(from);
        return css.substr(begin, css.find(to, begin) - begin);
    };
    auto style = part("/* ---- charts ---- */", "/* ---- plots ---- */");
    const auto names = part(":root {", "}");
    for (std::size_t use = 0; (use = style.find("var(--", use)) != std::string::npos;) {
        const auto end = style.find(')', use);
        const auto name = style.substr(use + 4, end - use - 4) + ": ";
        const auto value = names.find(name) + name.size();
        style.replace(use, end + 1 - use, names.substr(value, names.find(';', value) - value));
    }
    return style;
}

}  // namespace

std::string spectrum_chart(const std::vector<double>& explained) {
    LineSeries each{"each", {}}, all{"all up to it", {}};
    double sum = 0;
    for (std::size_t i = 0; i < explained.size(); ++i) {
        const auto number = static_cast<double>(i + 1);
        sum += explained[i];
        each.points.emplace_back(number, 100 * explained[i]);
        all.points.emplace_back(number, 100 * sum);
    }
    return line_chart({.title = "Share of the variance by principal component",
                       .x_name = "principal component",
                       .series = {each, all},
                       .unit = " %"});
}

std::string confusion_chart(const Atlas& atlas) {
    constexpr double left = 140, side = 44, height = 26;
    const auto& classes = atlas.inputs.classes;
    std::size_t longest = 4;
    for (const auto& name : classes) longest = std::max(longest, name.size());
    const double top = 24 + 5.6 * static_cast<double>(longest);
    struct Row {
        int cluster;
        std::vector<std::int64_t> counts;
        std::ptrdiff_t main;  ///< most frequent label
    };
    std::vector<Row> rows;
    bool any_unlabelled = false;
    for (const int k : atlas.by_size()) {
        auto counts = label_counts(atlas, k);
        any_unlabelled |= counts.back() > 0;
        const auto main = std::max_element(counts.begin(), counts.end() - 1) - counts.begin();
        rows.push_back({k, std::move(counts), main});
    }
    std::stable_sort(rows.begin(), rows.end(),
                     [](const Row& a, const Row& b) { return a.main < b.main; });
    const std::size_t columns = classes.size() + (any_unlabelled ? 1 : 0);
    std::string inside;
    for (std::size_t c = 0; c < columns; ++c)
        inside +=
            fmt::format(R"-(<text transform="translate({:.0f} {:.0f}) rotate(-50)">{}</text>)-",
                        left + side * (static_cast<double>(c) + 0.55), top - 8,
                        escape_html(c < classes.size() ? classes[c] : "none"));
    double y = top;
    for (const auto& row : rows) {
        std::int64_t sum = 0;
        for (const auto count : row.counts) sum += count;
        inside += fmt::format(R"(<circle cx="{}" cy="{:.1f}" r="5" fill="{}"/>)", left - 12,
                              y + height / 2, cluster_colour(atlas, row.cluster));
        inside += svg_text(left - 22, y + height / 2 + 4, "end", cluster_name(row.cluster));
        for (std::size_t c = 0; c < columns; ++c) {
            const auto count = row.counts[c];
            const double share =
                sum > 0 ? static_cast<double>(count) / static_cast<double>(sum) : 0;
            const double x = left + side * static_cast<double>(c);
            inside += fmt::format(
                R"(<rect class="cell" x="{:.1f}" y="{:.1f}" width="{}" height="{}" fill-opacity="{:.3f}"/>)",
                x + 1, y + 1, side - 2, height - 2, share);
            if (count > 0)
                inside += fmt::format(
                    R"(<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>)",
                    share > 0.6 ? "on-dark" : "on-light", x + side / 2, y + height / 2 + 4, count);
        }
        y += height;
    }
    return svg(left + side * static_cast<double>(columns) + 110, y + 10, "Labels in each cluster",
               inside);
}

std::string decision_chart(const Atlas& atlas) {
    constexpr double left = 60, right = 740, top = 24, base = 380;
    const auto [lowest, highest] = std::ranges::minmax(atlas.height);
    const double low = lowest, high = highest, width = std::max(high - low, 1e-9);
    const double most =
        std::max(static_cast<double>(*std::ranges::max_element(atlas.separation)), 1e-9);
    const auto x_of = [&](std::size_t i) {
        return left + (right - left) * (atlas.height[i] - low) / width;
    };
    const auto y_of = [&](std::size_t i) {
        return base - (base - top) * static_cast<double>(atlas.separation[i]) / most;
    };
    std::string inside;
    for (const double tick : round_ticks(low, high, 8)) {
        const double x = left + (right - left) * (tick - low) / width;
        inside += svg_line(x, base, x, base + 5, "axis");
        inside += svg_text(x, base + 20, "middle", fmt::format("{:g}", tick));
    }
    for (const double tick : round_ticks(0, most, 5)) {
        const double y = base - (base - top) * tick / most;
        inside += svg_line(left, y, right, y, "grid");
        inside += svg_text(left - 8, y + 4, "end", fmt::format("{:g}", tick));
    }
    inside += svg_line(left, base, right, base, "axis");
    std::set<std::pair<int, int>> taken;  // pixels: more dots would not be seen
    for (std::size_t i = 0; i < atlas.height.size(); ++i)
        if (taken.emplace(static_cast<int>(x_of(i)), static_cast<int>(y_of(i))).second)
            inside += fmt::format(R"(<circle cx="{:.1f}" cy="{:.1f}" r="1.6" fill="{}"/>)", x_of(i),
                                  y_of(i), cluster_colour(atlas, atlas.inputs.clusters.label[i]));
    for (int k = 0; k < atlas.clusters(); ++k) {
        if (atlas.members[at(k)].centre < 0) continue;
        const auto centre = at(atlas.members[at(k)].centre);
        inside += fmt::format(R"(<circle class="ring" cx="{:.1f}" cy="{:.1f}" r="6"/>)",
                              x_of(centre), y_of(centre));
        const bool has_room = std::ranges::none_of(atlas.members, [&](const ClusterMembers& other) {
            if (other.centre < 0) return false;
            const double right_of = x_of(at(other.centre)) - x_of(centre);
            return right_of > 0 && right_of < 26 &&
                   std::abs(y_of(at(other.centre)) - y_of(centre)) < 14;
        });
        inside += svg_text(x_of(centre) + (has_room ? 9 : -9), y_of(centre) + 4,
                           has_room ? "start" : "end", std::to_string(k));
    }
    inside += svg_text((left + right) / 2, base + 40, "middle", "log density less its error");
    inside += svg_text(8, 12, "start", "separation");
    return svg(right + 40, base + 50, "Decision graph: separation over log density", inside);
}

std::string standalone_svg(const std::string& chart) {
    const std::string opening = "<svg ";
    const auto end = chart.find('>') + 1;
    return "<svg xmlns=\"http://www.w3.org/2000/svg\" " +
           chart.substr(opening.size(), end - opening.size()) + "<style>" + main_style() +
           R"(</style><rect width="100%" height="100%" fill="#ffffff"/>)" + chart.substr(end) +
           "\n";
}

std::vector<PageFile> picture_files(const Atlas& atlas) {
    const auto& data = atlas.inputs;
    const std::string root = "../";
    std::vector<PageFile> files;
    const auto add = [&](const char* name, const std::string& chart) {
        files.push_back({fmt::format("pictures/{}.svg", name), standalone_svg(chart)});
    };
    if (!data.embedding.explained.empty())
        add("spectrum", spectrum_chart(data.embedding.explained));
    if (atlas.has_topography()) add("dendrogram", dendrogram_chart(atlas, root));
    if (!atlas.separation.empty()) add("decision", decision_chart(atlas));
    if (!atlas.silhouettes.row.empty()) add("silhouette", silhouette_chart(atlas, root));
    if (const auto trees = atlas.trees_that_split(); !trees.empty())
        add("splits", split_chart(atlas, trees, root));
    if (atlas.has_condensed_tree()) add("condensed-tree", condensed_chart(atlas, root));
    if (const auto& scan = data.clusters.scan; !scan.value.empty()) {
        add(cluster_number_file(scan), cluster_number_chart(scan));
        if (!scan.validity.empty()) add("quality-by-size", quality_chart(scan));
        if (scan.subsamples() > 0) add("stability", stability_chart(scan));
    }
    if (data.dimension) add("dimension", dimension_chart(*data.dimension));
    if (data.has_labels()) add("confusion", confusion_chart(atlas));
    return files;
}

std::string picture_link(const std::string& name, const std::string& root) {
    return fmt::format(R"(<p class="quiet"><a href="{}pictures/{}.svg">As a file</a></p>)", root,
                       name);
}

}  // namespace nanoatlas::atlas
