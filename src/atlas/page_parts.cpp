#include "atlas/page_parts.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "atlas/palette.hpp"
#include "atlas/text.hpp"
#include "atlas/web.hpp"

namespace nanoatlas::atlas {
namespace {

std::string navigation(const Atlas& atlas, std::string_view path) {
    std::string items;
    const auto add = [&](std::string_view target, std::string_view name) {
        items += fmt::format(R"(<a href="{}{}"{}>{}</a>)", root_of(path), target,
                             target == path ? R"( aria-current="page")" : "", name);
    };
    add("index.html", "Map");
    add("overview.html", "Clusters");
    add("names.html", "Names");
    if (has_evaluation(atlas.inputs)) add("evaluation.html", "Evaluation");
    add("duplicates.html", "Duplicates");
    add("rejects.html", "Rejects");
    add("provenance.html", "Provenance");
    return items;
}

template <class T>
std::vector<T> gather(const std::vector<std::int64_t>& rows, const std::vector<T>& column) {
    std::vector<T> values;
    values.reserve(rows.size());
    for (const auto row : rows) values.push_back(column[static_cast<std::size_t>(row)]);
    return values;
}

}  // namespace

bool has_evaluation(const Inputs& inputs) {
    return inputs.has_labels() || inputs.predictions || !inputs.metrics.empty() ||
           !inputs.scores.empty();
}

std::string root_of(std::string_view path) {
    return path.find('/') == std::string_view::npos ? "" : "../";
}

PageFile frame_page(const Atlas& atlas, const std::string& path, const std::string& title,
                    const std::string& content, const std::vector<std::string>& scripts) {
    const std::string root = root_of(path);
    std::string elements;
    for (const auto& script : scripts)
        elements += fmt::format("<script src=\"{}{}\"></script>\n", root, script);
    return {path, fill_in(web_file("page.html"), {{"title", escape_html(title)},
                                                  {"atlas", atlas.clustering},
                                                  {"root", root},
                                                  {"navigation", navigation(atlas, path)},
                                                  {"content", content},
                                                  {"scripts", elements}})};
}

std::string bare_picture(const Gallery& gallery, std::int64_t row, std::string_view root,
                         std::string_view alt) {
    const auto& layout = gallery.sheets().layout;
    const auto tile = gallery.tile_of(row);
    const auto place = tile % layout.per_sheet();
    return fmt::format(R"(<img src="{}{}" width="{}" height="{}" loading="lazy" alt="{}" )"
                       R"(style="object-position:-{}px -{}px">)",
                       root, gallery.sheets().file(tile / layout.per_sheet()), layout.tile,
                       layout.tile, escape_html(alt), place % layout.columns * layout.tile,
                       place / layout.columns * layout.tile);
}

std::string picture(const Atlas& atlas, const Gallery& gallery, std::int64_t row,
                    std::string_view root, const std::string& note) {
    const auto& path = atlas.inputs.path[static_cast<std::size_t>(row)];
    const auto slash = path.rfind('/');
    const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
    return fmt::format(
        R"(<a class="picture" href="{}index.html#image={}" title="{}">{}<span class="name">{}</span>)"
        R"(<span class="note">{}</span></a>)",
        root, row, escape_html(path), bare_picture(gallery, row, root, path), escape_html(name),
        note);
}

std::string figure_card(const std::string& value, const std::string& name) {
    return fmt::format(R"(<div class="figure"><b>{}</b><span>{}</span></div>)", value, name);
}

std::string colour_dot(std::string_view colour) {
    return fmt::format(R"(<i class="dot" style="background:{}"></i>)", colour);
}

std::string cluster_colour(const Atlas& atlas, int cluster) {
    return cluster < 0 ? no_category_colour
                       : atlas.cluster_colours[static_cast<std::size_t>(cluster)];
}

std::string cluster_link(const Atlas& atlas, int cluster, std::string_view root) {
    return fmt::format(
        R"(<a class="cluster" href="{}clusters/{}.html">{}<span data-cluster="{}">{}</span></a>)",
        root, cluster, colour_dot(cluster_colour(atlas, cluster)), cluster, cluster_name(cluster));
}

std::string mix_bars(const std::vector<CategoryCount>& counts, std::int64_t total,
                     const std::vector<std::string>& names,
                     const std::vector<std::string>& colours) {
    std::string rows;
    for (const auto& [category, count] : counts)
        rows += fmt::format(
            R"(<tr><th scope="row">{}</th><td class="track"><i style="width:{:.2f}%;background:{}">)"
            R"(</i></td><td class="number">{}</td><td class="number">{}</td></tr>)",
            escape_html(class_name(names, category)),
            100 * static_cast<double>(count) /
                static_cast<double>(std::max<std::int64_t>(total, 1)),
            category < 0 ? no_category_colour : colours[static_cast<std::size_t>(category)],
            count_text(count), percent_text(count, total));
    return R"(<table class="mix">)" + rows + "</table>";
}

std::vector<std::int32_t> values_of(const std::vector<std::int64_t>& rows,
                                    const std::vector<std::int32_t>& column) {
    return gather(rows, column);
}

std::vector<double> values_of(const std::vector<std::int64_t>& rows,
                              const std::vector<double>& column) {
    return gather(rows, column);
}

}  // namespace nanoatlas::atlas
