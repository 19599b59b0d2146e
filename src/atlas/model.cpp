#include "atlas/model.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "atlas/palette.hpp"
#include "base/random.hpp"
#include "comm/communicator.hpp"
#include "reduce/pca.hpp"

namespace nanoatlas::atlas {
namespace {

constexpr std::size_t exemplars_of_a_kind = 14;
constexpr std::size_t most_parts = 8;  // of a cluster in its tree

/// What tells how typical a member is: a density, or HDBSCAN's probability.
std::span<const double> typicality(const Clusters& clusters) {
    return clusters.log_density.empty() ? clusters.probability : clusters.log_density;
}

/// A class that has a colour as a label keeps it as a prediction.
std::vector<std::string> prediction_colours(const Atlas& atlas) {
    const auto& labels = atlas.inputs.classes;
    const auto& classes = atlas.inputs.predictions->classes;
    auto colours = palette(static_cast<int>(classes.size()));
    for (std::size_t c = 0; c < classes.size(); ++c) {
        const auto same = std::find(labels.begin(), labels.end(), classes[c]);
        if (same != labels.end())
            colours[c] = atlas.class_colours[static_cast<std::size_t>(same - labels.begin())];
    }
    return colours;
}

std::string fingerprint(const std::vector<std::int32_t>& labels) {
    const std::string_view bytes(reinterpret_cast<const char*>(labels.data()),
                                 labels.size() * sizeof(std::int32_t));
    return fmt::format("{:016x}", base::fnv1a(bytes));
}

void add_topography(Atlas& atlas) {
    const auto& clusters = atlas.inputs.clusters;
    if (clusters.saddle_density.empty() || clusters.saddle_error.empty() ||
        clusters.centres.empty() || clusters.log_density.empty())
        return;
    atlas.topography.saddle = clusters.saddle_density;
    atlas.topography.saddle_error = clusters.saddle_error;
    for (const auto centre : clusters.centres) {
        const auto row = static_cast<std::size_t>(centre);
        atlas.topography.peak.push_back(clusters.log_density[row]);
        atlas.peak_error.push_back(
            clusters.log_density_error.empty() ? 0 : clusters.log_density_error[row]);
    }
    atlas.tree = dendrogram(atlas.topography);
}

std::vector<double> peak_height(const Clusters& clusters) {
    auto height = clusters.log_density;
    for (std::size_t i = 0; i < height.size() && !clusters.log_density_error.empty(); ++i)
        height[i] -= clusters.log_density_error[i];
    return height;
}

bool rows_differ(const Embedding& embedding) {
    const auto& values = embedding.values;
    const auto columns = static_cast<std::size_t>(embedding.columns);
    for (std::size_t i = columns; i < values.size(); ++i)
        if (values[i] != values[i - columns]) return true;
    return false;
}

/// What the map shows: the embedding itself where a PCA made it, else its principal components.
Embedding in_order_of_variance(const Embedding& embedding, std::int64_t rows) {
    if (!embedding.explained.empty() || embedding.columns <= 2 || rows < 3 ||
        !rows_differ(embedding))
        return embedding;
    const auto alone = comm::Communicator::self();
    const store::Matrix<float> matrix{.rows = {.first = 0, .count = rows, .total = rows},
                                      .columns = embedding.columns,
                                      .values = embedding.values};
    const auto count = std::min({most_axes, embedding.columns, rows - 1});
    auto [pca, scores] = reduce::fit_and_project(matrix, {.components = std::to_string(count)},
                                                 reduce::Whiten::off, alone);
    return {.columns = count,
            .values = std::move(scores.values),
            .explained = std::move(pca.explained_variance_ratio)};
}

void add_map(Atlas& atlas) {
    const auto embedding = in_order_of_variance(atlas.inputs.embedding, atlas.inputs.rows);
    atlas.axes = map_axes(embedding.values, embedding.columns, embedding.explained);
    const auto& placement = atlas.inputs.placement;
    atlas.map = {
        .stem = "data/map-",
        .layout = map_sheets(atlas.inputs.rows, std::max(atlas.inputs.height, atlas.inputs.width)),
        .rows = placement ? hilbert_order(placement->x, placement->y)
                          : hilbert_order(atlas.axes[0].values, atlas.axes[1].values)};
}

void add_galleries(Atlas& atlas, int stored_side) {
    for (int k = 0; k < atlas.clusters(); ++k) {
        const auto& members = atlas.members[static_cast<std::size_t>(k)];
        Gallery gallery("clusters/" + std::to_string(k) + "-", std::min(152, stored_side), 8);
        if (members.centre >= 0) gallery.add(members.centre);
        if (members.medoid >= 0) gallery.add(members.medoid);
        for (const auto row : atlas.cover(k)) atlas.covers.add(row);
        for (const auto* kind :
             {&members.nearest, &members.across, &members.densest, &members.border, &members.odd})
            for (const auto& exemplar : *kind) gallery.add(exemplar.row);
        if (!atlas.splits.empty())
            for (const auto& part : atlas.splits[static_cast<std::size_t>(k)].parts)
                gallery.add(part.centre);
        atlas.galleries.push_back(std::move(gallery));
    }
    for (std::size_t i = 0; i < atlas.inputs.duplicate_of.size(); ++i) {
        if (atlas.inputs.duplicate_of[i] < 0) continue;
        atlas.copies.add(atlas.inputs.duplicate_of[i]);
        atlas.copies.add(static_cast<std::int64_t>(i));
    }
}

}  // namespace

Gallery::Gallery(std::string stem, int tile, int columns)
    : sheets_{.stem = std::move(stem),
              .layout = {.tile = tile, .columns = columns, .rows = 8},
              .rows = {}} {}

void Gallery::add(std::int64_t row) {
    if (!tile_of_.emplace(row, sheets_.layout.tiles).second) return;
    sheets_.rows.push_back(row);
    ++sheets_.layout.tiles;
}

std::vector<SheetSet> Atlas::all_sheets() const {
    std::vector<SheetSet> sets = {map, covers.sheets(), copies.sheets()};
    for (const auto& gallery : galleries) sets.push_back(gallery.sheets());
    return sets;
}

double Atlas::significance(int a, int b) const {
    const auto i = static_cast<std::size_t>(a), j = static_cast<std::size_t>(b);
    const std::size_t lower = topography.peak[i] < topography.peak[j] ? i : j;
    return (topography.peak[lower] - topography.saddle_between(a, b)) /
           (peak_error[lower] + topography.saddle_error[i * peak_error.size() + j]);
}

std::vector<std::int64_t> Atlas::cover(int cluster) const {
    constexpr std::size_t most = 6;
    const auto& shown = members[static_cast<std::size_t>(cluster)];
    std::vector<std::int64_t> rows;
    if (shown.centre >= 0) rows.push_back(shown.centre);
    const std::size_t steps = std::min(most, shown.across.size());
    for (std::size_t i = 1; i < steps; ++i) {
        const auto row = shown.across[i * (shown.across.size() - 1) / (steps - 1)].row;
        if (row != shown.centre) rows.push_back(row);
    }
    return rows;
}

std::vector<const SplitTree*> Atlas::trees_that_split() const {
    std::vector<const SplitTree*> trees;
    if (splits.empty()) return trees;
    for (const int k : by_size())
        if (const auto& split = splits[static_cast<std::size_t>(k)]; split.leaves.size() > 1)
            trees.push_back(&split);
    return trees;
}

std::vector<int> Atlas::by_size() const {
    std::vector<int> order(members.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
        return members[static_cast<std::size_t>(a)].rows.size() >
               members[static_cast<std::size_t>(b)].rows.size();
    });
    return order;
}

Atlas make_atlas(Inputs inputs) {
    const int stored_side = std::max(inputs.height, inputs.width);
    Atlas atlas;
    atlas.inputs = std::move(inputs);
    atlas.covers = Gallery("data/covers-", std::min(128, stored_side), 8);
    atlas.copies = Gallery("data/copies-", std::min(128, stored_side), 8);
    const auto& data = atlas.inputs;
    const auto& clusters = data.clusters;
    atlas.clustering = fingerprint(clusters.label);
    atlas.cluster_colours = palette(clusters.count);
    atlas.class_colours = palette(static_cast<int>(data.classes.size()));
    if (data.predictions) atlas.prediction_colours = prediction_colours(atlas);
    atlas.members = choose_exemplars({.points = data.embedding.values,
                                      .columns = data.embedding.columns,
                                      .label = clusters.label,
                                      .density = typicality(clusters),
                                      .centres = clusters.centres,
                                      .clusters = clusters.count},
                                     exemplars_of_a_kind);
    atlas.portraits =
        portraits(data.facts, {"label", data.classes, data.label}, clusters.label, clusters.count);
    atlas.pixel_bins = log_bins(data.pixel_size);
    atlas.height = peak_height(clusters);
    atlas.path_root = common_folder(data.path);
    add_topography(atlas);
    if (!clusters.tree.centre.empty())
        atlas.splits = split_trees(clusters.tree, clusters.label, clusters.count, most_parts);
    add_map(atlas);
    add_galleries(atlas, stored_side);
    return atlas;
}

std::string common_folder(const std::vector<std::string>& paths) {
    if (paths.empty()) return "";
    const auto [first, last] = std::minmax_element(paths.begin(), paths.end());
    const auto differ =
        std::mismatch(first->begin(), first->end(), last->begin(), last->end()).first;
    const auto slash = std::string(first->begin(), differ).rfind('/');
    return slash == std::string::npos ? "" : first->substr(0, slash + 1);
}

std::string cluster_name(std::int32_t cluster) {
    return cluster < 0 ? "No cluster" : "Cluster " + std::to_string(cluster);
}

std::string_view class_name(const std::vector<std::string>& classes, std::int32_t label) {
    return label < 0 ? std::string_view("none") : classes[static_cast<std::size_t>(label)];
}

}  // namespace nanoatlas::atlas
