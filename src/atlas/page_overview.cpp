// The collection at a glance: figures, all clusters, how they join, and the decision graph.
#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "atlas/charts.hpp"
#include "atlas/condensed_chart.hpp"
#include "atlas/dimension_chart.hpp"
#include "atlas/page_parts.hpp"
#include "atlas/pictures.hpp"
#include "atlas/portrait_page.hpp"
#include "atlas/scan_charts.hpp"
#include "atlas/text.hpp"

namespace nanoatlas::atlas {
namespace {

std::int64_t how_many(const std::vector<std::int32_t>& values, bool negative) {
    return std::count_if(values.begin(), values.end(),
                         [&](std::int32_t v) { return (v < 0) == negative; });
}

/// A number of a JSON object, as text; empty if it has none of that name.
std::string figure_of(const std::string& json, const char* name) {
    const auto object = nlohmann::json::parse(json, nullptr, false);
    if (!object.is_object() || !object.contains(name) || !object[name].is_number()) return "";
    return number_text(object[name].get<double>());
}

std::string figures(const Atlas& atlas) {
    const auto& data = atlas.inputs;
    std::string cards = figure_card(count_text(data.rows), "images") +
                        figure_card(count_text(atlas.clusters()), "clusters");
    if (const auto noise = how_many(data.clusters.label, true); noise > 0)
        cards += figure_card(count_text(noise), "in no cluster");
    if (data.clusters.dimension)
        cards += figure_card(number_text(*data.clusters.dimension), "intrinsic dimension");
    if (data.has_labels())
        cards += figure_card(percent_text(how_many(data.label, false), data.rows), "labelled");
    const auto copies = std::count_if(data.duplicate_of.begin(), data.duplicate_of.end(),
                                      [](std::int64_t row) { return row >= 0; });
    cards += figure_card(count_text(copies), "duplicates");
    cards += figure_card(count_text(static_cast<std::int64_t>(data.rejects.size())), "rejects");
    for (const auto& [json, name, title] : {std::tuple(&data.metrics, "accuracy", "accuracy"),
                                            {&data.scores, "nmi", "NMI with labels"},
                                            {&data.scores, "ari", "ARI with labels"}})
        if (const auto value = figure_of(*json, name); !value.empty())
            cards += figure_card(value, title);
    return R"(<div class="figures">)" + cards + "</div>";
}

/// "83.1 % Powder", the most frequent label of a cluster; empty without labels.
std::string main_label(const Atlas& atlas, const ClusterMembers& members) {
    const auto counts = category_counts(values_of(members.rows, atlas.inputs.label));
    if (counts.empty() || counts.front().category < 0) return "";
    std::int64_t labelled = 0;
    for (const auto& [category, count] : counts) labelled += category < 0 ? 0 : count;
    return fmt::format("{} {}", percent_text(counts.front().count, labelled),
                       escape_html(class_name(atlas.inputs.classes, counts.front().category)));
}

std::string cluster_card(const Atlas& atlas, int cluster) {
    const auto& members = atlas.members[static_cast<std::size_t>(cluster)];
    std::string pictures;
    for (const auto row : atlas.cover(cluster))
        pictures +=
            bare_picture(atlas.covers, row, "", atlas.inputs.path[static_cast<std::size_t>(row)]);
    const auto size = static_cast<std::int64_t>(members.rows.size());
    const auto warning = warning_of(atlas.portraits[static_cast<std::size_t>(cluster)]);
    return fmt::format(
        R"(<a class="card" href="clusters/{}.html"><span class="cover">{}</span>)"
        R"(<span class="card-text"><b>{}<span data-cluster="{}">{}</span></b><span>{}</span>)"
        R"(<span class="quiet">{} images · {}{}</span></span></a>)",
        cluster, pictures, colour_dot(cluster_colour(atlas, cluster)), cluster,
        cluster_name(cluster), main_label(atlas, members), count_text(size),
        percent_text(size, atlas.inputs.rows), warning.empty() ? "" : " · " + warning);
}

std::string condensed_tree(const Atlas& atlas) {
    return R"(<p class="about">All images stand together at the top; further down only what is )"
           "denser still does. A bar is as wide as the number of its images, forks where it falls "
           "into two parts of the least size of a cluster, and loses images to noise where it "
           "narrows. The chosen clusters are coloured and outlined.</p><div class=\"scroll\">" +
           condensed_chart(atlas, "") + "</div>" + picture_link("condensed-tree", "");
}

std::string topography(const Atlas& atlas) {
    if (atlas.has_condensed_tree()) return condensed_tree(atlas);
    if (!atlas.has_topography())
        return R"(<p class="quiet">This method of clustering measures no saddles between )"
               "clusters, so there is no tree to draw.</p>";
    return R"(<p class="about">Each line ends at its cluster's peak and joins another at the densest )"
           "saddle between them (log density). Joins close to the tips are clusters that hardly "
           "part"
           "; dashed lines have no border in common.</p><div class=\"scroll\">" +
           dendrogram_chart(atlas, "") + "</div>" + picture_link("dendrogram", "");
}

std::string decision_graph(const Atlas& atlas) {
    if (atlas.separation.empty())
        return R"(<p class="quiet">This method of clustering measures no densities, so there is )"
               "no decision graph to draw.</p>";
    return R"(<p class="about">Each image by its log density, less the error of that, and its )"
           "separation: the distance, in the embedding, to the nearest image that is higher so (of "
           "the highest one: to the farthest). Centres of clusters, ringed, stand out by both. All "
           "images are drawn.</p>"
           R"(<canvas id="decision" class="plot" tabindex="0" role="img" )"
           R"(aria-label="Decision graph: separation over log density"></canvas>)"
           R"(<p id="decision-note" class="quiet" aria-live="polite">&nbsp;</p>)" +
           picture_link("decision", "");
}

std::string section(const char* title, const char* about, const std::string& body,
                    const char* picture) {
    return fmt::format(
        R"(<section><h2>{}</h2><p class="about">{}</p><div class="scroll">{}</div>{}</section>)",
        title, about, body, picture_link(picture, ""));
}

/// What other settings would have given.
std::string other_settings(const Scan& scan) {
    std::string text;
    const bool is_of_sizes = scan.setting == ScannedSetting::least_size;
    if (!scan.value.empty())
        text += section(is_of_sizes ? "Clusters over their least size" : "Clusters over Z",
                        is_of_sizes
                            ? "How many clusters there are at other least sizes; thin: of random "
                              "parts of the images, each clustered anew."
                            : "How many clusters there are at other significances; thin: of random "
                              "parts of the images, each clustered anew.",
                        cluster_number_chart(scan), cluster_number_file(scan));
    if (!scan.validity.empty())
        text += section("Validity over the least size",
                        "Relative validity: how far clusters are apart against how sparse they "
                        "are, from -1 to 1; noise counts 0. Persistence: over how much density a "
                        "cluster lasts. Both rank choices for these images alone.",
                        quality_chart(scan), "quality-by-size");
    if (scan.subsamples() > 0)
        text +=
            section("Stability",
                    "How far random parts of the images, clustered anew, get the same clusters: "
                    "1 is all of them, 0 what chance gives. Thin: the ARI of each part.",
                    stability_chart(scan), "stability");
    return text;
}

/// What other choices would have given, and how well the clusters are apart.
std::string scrutiny(const Atlas& atlas) {
    const auto& data = atlas.inputs;
    std::string text;
    if (const auto trees = atlas.trees_that_split(); !trees.empty())
        text += section("How they would split",
                        "Into which parts clusters fall at a lower significance Z: a line forks at "
                        "the Z below which its parts are clusters of their own. Each part by the "
                        "image at its peak and its number of images.",
                        split_chart(atlas, trees, ""), "splits");
    text += other_settings(data.clusters.scan);
    if (!atlas.silhouettes.row.empty())
        text += section("Silhouettes",
                        "How much nearer images are to their own cluster than to the next: 1 is "
                        "well inside, 0 half way, negative nearer to the next. Of up to 4,000 "
                        "images, with the mean of each cluster.",
                        silhouette_chart(atlas, ""), "silhouette");
    if (!data.embedding.explained.empty())
        text += section("Spectrum", "Share of the variance by principal component.",
                        spectrum_chart(data.embedding.explained), "spectrum");
    if (data.dimension)
        text += section("Intrinsic dimension",
                        "In how many directions the images vary, by scale: from the distances of "
                        "farther neighbours (Gride), and of the nearest two among fewer images. "
                        "Where the curves are level the figure can be trusted. Bars: two standard "
                        "errors.",
                        dimension_chart(*data.dimension), "dimension");
    return text;
}

}  // namespace

PageFile overview_page(const Atlas& atlas) {
    std::string cards;
    for (const int cluster : atlas.by_size()) cards += cluster_card(atlas, cluster);
    const auto whole = log_histogram(atlas.inputs.pixel_size, atlas.pixel_bins);
    std::string content = "<h1>Clusters</h1>" + figures(atlas);
    content +=
        R"(<section><h2>All clusters, the largest first</h2><p class="about">Each from its centre )"
        R"(outwards.</p><div class="cards">)" +
        cards + "</div></section>";
    content += "<section><h2>How they join</h2>" + topography(atlas) + "</section>";
    content += "<section><h2>Decision graph</h2>" + decision_graph(atlas) + "</section>";
    content += scrutiny(atlas);
    content += fmt::format(
        R"(<section><h2>Pixel sizes</h2><p class="about">Of the original images; {} unknown.</p>{}</section>)",
        count_text(whole.unknown), histogram_chart(whole, {}, "Pixel sizes of all images"));
    return frame_page(
        atlas, "overview.html", "Clusters", content,
        {"names.js", "decode.js", "colours.js", "points.js", "data/decision.js", "decision.js"});
}

}  // namespace nanoatlas::atlas
