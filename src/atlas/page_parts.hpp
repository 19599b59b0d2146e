// What pages have in common: frame, pictures, and small displays of figures.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "atlas/histogram.hpp"
#include "atlas/pages.hpp"

namespace nanoatlas::atlas {

/// A whole page; path decides how it reaches the root: "clusters/7.html".
/// scripts: paths from the root, loaded in this order
PageFile frame_page(const Atlas& atlas, const std::string& path, const std::string& title,
                    const std::string& content, const std::vector<std::string>& scripts = {});

/// True if there is anything to hold the clusters or predictions to.
bool has_evaluation(const Inputs& inputs);

/// "" for pages in the root, "../" for those one folder down.
std::string root_of(std::string_view path);

/// One picture out of a gallery's sheets, linked to its place on the map; note: a line below it.
std::string picture(const Atlas& atlas, const Gallery& gallery, std::int64_t row,
                    std::string_view root, const std::string& note);
/// The same without link and caption. alt: plain text
std::string bare_picture(const Gallery& gallery, std::int64_t row, std::string_view root,
                         std::string_view alt);

/// A figure with its name, for the row of figures on top of a page.
std::string figure_card(const std::string& value, const std::string& name);
/// Bars of the categories that occur, with counts and shares.
std::string mix_bars(const std::vector<CategoryCount>& counts, std::int64_t total,
                     const std::vector<std::string>& names,
                     const std::vector<std::string>& colours);
/// A dot of a category's colour.
std::string colour_dot(std::string_view colour);
std::string cluster_colour(const Atlas& atlas, int cluster);
/// A link to a cluster's page with its dot, number and name.
std::string cluster_link(const Atlas& atlas, int cluster, std::string_view root);

/// Labels, or any other column, of these rows.
std::vector<std::int32_t> values_of(const std::vector<std::int64_t>& rows,
                                    const std::vector<std::int32_t>& column);
std::vector<double> values_of(const std::vector<std::int64_t>& rows,
                              const std::vector<double>& column);

}  // namespace nanoatlas::atlas
