// The map and the data it is drawn from.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

#include "atlas/page_parts.hpp"
#include "atlas/palette.hpp"
#include "atlas/text.hpp"
#include "atlas/web.hpp"

namespace nanoatlas::atlas {
namespace {

std::string script_list(const std::vector<std::string>& texts) {
    std::string list = "[";
    for (const auto& text : texts) list += quote_script(text) + ",\n";
    return list + "]";
}

template <class T>
std::string column(const std::vector<T>& values) {
    return '"' + base64(std::span<const T>(values)) + '"';
}

/// A colouring by category: value v has names[v] and colours[v]; -1 has none.
std::string categories(const char* key, const char* title, const std::vector<std::int32_t>& values,
                       const std::vector<std::string>& names,
                       const std::vector<std::string>& colours, const char* without) {
    return fmt::format(
        "  {{key: \"{}\", title: \"{}\", kind: \"category\", without: \"{}\",\n"
        "   names: {},\n   colours: {},\n   data: {}}},\n",
        key, title, without, script_list(names), script_list(colours), column(values));
}

/// A colouring by a figure, from low to high; NaN is unknown.
std::string scale(const char* key, const char* title, const std::vector<double>& values,
                  bool logarithmic, const char* unit) {
    std::vector<float> narrow(values.size());
    for (std::size_t i = 0; i < values.size(); ++i)
        narrow[i] = logarithmic && !(values[i] > 0) ? std::numeric_limits<float>::quiet_NaN()
                                                    : static_cast<float>(values[i]);
    return fmt::format(
        "  {{key: \"{}\", title: \"{}\", kind: \"scale\", logarithmic: {}, unit: \"{}\",\n"
        "   data: {}}},\n",
        key, title, logarithmic, unit, column(narrow));
}

/// 0 where the answer has the label's name, 1 where it has not, -1 where either is missing.
std::vector<std::int32_t> mistakes(const Inputs& data) {
    std::vector<std::int32_t> values(data.label.size(), -1);
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (data.label[i] < 0 || !data.predictions->has_answer(i)) continue;
        values[i] = data.is_right(i, data.predictions->label[i]) ? 0 : 1;
    }
    return values;
}

std::string colourings(const Atlas& atlas) {
    const auto& data = atlas.inputs;
    std::vector<std::string> cluster_names;
    cluster_names.reserve(static_cast<std::size_t>(atlas.clusters()));
    for (int k = 0; k < atlas.clusters(); ++k) cluster_names.push_back(cluster_name(k));
    std::string list = categories("cluster", "Cluster", data.clusters.label, cluster_names,
                                  atlas.cluster_colours, "no cluster");
    if (data.has_labels())
        list +=
            categories("label", "Label", data.label, data.classes, atlas.class_colours, "no label");
    if (data.predictions)
        list += categories("prediction", "Prediction", data.predictions->label,
                           data.predictions->classes, atlas.prediction_colours, "no prediction");
    if (data.predictions && data.has_labels())
        list += categories("mistakes", "Mistakes", mistakes(data), {"right", "wrong"},
                           {"#56b4e9", "#d55e00"}, "no label");
    if (atlas.pixel_bins.count() > 0)
        list += scale("pixel", "Pixel size", data.pixel_size, true, "m");
    if (std::any_of(data.facts.magnification().value.begin(),
                    data.facts.magnification().value.end(), [](double value) { return value > 0; }))
        list +=
            scale("magnification", "Magnification", data.facts.magnification().value, true, "x");
    if (!data.clusters.log_density.empty())
        list += scale("density", "Log density", data.clusters.log_density, false, "");
    if (!data.clusters.probability.empty())
        list += scale("probability", "Probability", data.clusters.probability, false, "");
    if (data.placement && !data.placement->kept.empty())
        list += scale("kept", "Neighbours kept", data.placement->kept, false, "");
    if (!data.clusters.halo.empty())
        list += categories("halo", "Halo", data.clusters.halo, {"core", "halo"}, palette(2), "");
    return list +
           categories("part", "Part", data.part, {"train", "validation", "test"}, palette(3), "");
}

/// What a reader should know of a map beside its points.
std::string note_on(const Placement& placement) {
    if (placement.method != "tsne") return "";
    return "Images that lie side by side are similar. How far apart groups lie, how large they are "
           "and how dense says nothing.";
}

/// "null" without a map.
std::string placement_data(const std::optional<Placement>& placement) {
    if (!placement) return "null";
    return fmt::format("{{title: {}, note: {},\n x: {},\n y: {}}}",
                       quote_script(placement->method == "tsne" ? "t-SNE map" : "Map"),
                       quote_script(note_on(*placement)), column(placement->x),
                       column(placement->y));
}

/// Place of each row's thumbnail in the sheets: the inverse of the order of tiles.
std::vector<std::int32_t> tile_places(const SheetSet& sheets) {
    std::vector<std::int32_t> places(sheets.rows.size());
    for (std::size_t tile = 0; tile < sheets.rows.size(); ++tile)
        places[static_cast<std::size_t>(sheets.rows[tile])] = static_cast<std::int32_t>(tile);
    return places;
}

}  // namespace

PageFile map_page(const Atlas& atlas) {
    return frame_page(
        atlas, "index.html", "Map",
        fill_in(web_file("map.html"), {{"images", count_text(atlas.inputs.rows)},
                                       {"clusters", count_text(atlas.clusters())}}),
        {"names.js", "decode.js", "data/map.js", "colours.js", "points.js", "pictures.js",
         "panel.js", "view.js", "painter.js", "layouts.js", "cards.js", "pointing.js", "map.js"});
}

PageFile map_data(const Atlas& atlas) {
    const auto& layout = atlas.map.layout;
    std::string text = "\"use strict\";\nconst ATLAS = {\n";
    text += fmt::format("count: {}, clusters: {},\n", atlas.inputs.rows, atlas.clusters());
    text += fmt::format("tiles: {{stem: {}, size: {}, columns: {}, perSheet: {},\n place: {}}},\n",
                        quote_script(atlas.map.stem), layout.tile, layout.columns,
                        layout.per_sheet(), column(tile_places(atlas.map)));
    text += "axes: [\n";
    for (const auto& axis : atlas.axes)
        text += fmt::format("  {{name: {}, data: {}}},\n", quote_script(axis.name),
                            column(axis.values));
    text += "],\nplacement: " + placement_data(atlas.inputs.placement);
    text += ",\ncolourings: [\n" + colourings(atlas) + "]};\n";
    return {"data/map.js", text};
}

PageFile path_data(const Atlas& atlas) {
    std::vector<std::string> paths;
    paths.reserve(atlas.inputs.path.size());
    for (const auto& path : atlas.inputs.path) paths.push_back(path.substr(atlas.path_root.size()));
    return {"data/paths.js", "\"use strict\";\nATLAS.root = " + quote_script(atlas.path_root) +
                                 ";\nATLAS.paths = " + script_list(paths) + ";\n"};
}

PageFile decision_data(const Atlas& atlas) {
    std::string text = "\"use strict\";\nconst DECISION = {\n";
    if (!atlas.separation.empty()) {
        std::vector<float> density(atlas.separation.size());
        for (std::size_t i = 0; i < density.size(); ++i)
            density[i] = static_cast<float>(atlas.height[i]);
        std::vector<std::int32_t> centres;
        for (const auto& members : atlas.members)
            centres.push_back(static_cast<std::int32_t>(members.centre));
        text += fmt::format(
            "density: {},\nseparation: {},\ncluster: {},\ncentres: {},\ncolours: {}\n",
            column(density), column(atlas.separation), column(atlas.inputs.clusters.label),
            column(centres), script_list(atlas.cluster_colours));
    }
    return {"data/decision.js", text + "};\n"};
}

std::vector<PageFile> all_pages(const Atlas& atlas) {
    std::vector<PageFile> pages = {
        map_page(atlas),      overview_page(atlas),   duplicates_page(atlas), rejects_page(atlas),
        names_page(atlas),    provenance_page(atlas), map_data(atlas),        path_data(atlas),
        decision_data(atlas), clusters_json(atlas)};
    if (has_evaluation(atlas.inputs)) pages.push_back(evaluation_page(atlas));
    for (int k = 0; k < atlas.clusters(); ++k) pages.push_back(cluster_page(atlas, k));
    for (const auto& file : web_files())
        if (!file.name.ends_with(".html"))
            pages.push_back({std::string(file.name), std::string(file.text)});
    return pages;
}

}  // namespace nanoatlas::atlas
