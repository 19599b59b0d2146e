// The charts of an atlas as files of their own, to be read in print.
#pragma once

#include <string>
#include <vector>

#include "atlas/pages.hpp"

namespace nanoatlas::atlas {

/// Share of the variance by principal component, and of all up to each. explained: as PCA gives it
std::string spectrum_chart(const std::vector<double>& explained);

/// Counts of labels by cluster, shaded by their share of the cluster; clusters of one main label
/// stand together.
std::string confusion_chart(const Atlas& atlas);

/// The decision graph with a dot in each place that any image has, and the clusters' centres.
std::string decision_chart(const Atlas& atlas);

/// An SVG file out of a chart of the pages: with its style, on white.
std::string standalone_svg(const std::string& chart);

/// pictures/NAME.svg: those of the charts for which there is something to draw.
std::vector<PageFile> picture_files(const Atlas& atlas);

/// A link to such a file below its chart.
std::string picture_link(const std::string& name, const std::string& root);

}  // namespace nanoatlas::atlas
