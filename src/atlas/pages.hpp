// The pages of an atlas as HTML, and the data that its scripts draw from.
#pragma once

#include <string>
#include <vector>

#include "atlas/model.hpp"

namespace nanoatlas::atlas {

/// A file of the atlas and what stands in it.
struct PageFile {
    std::string path, text;
};

PageFile map_page(const Atlas& atlas);
PageFile overview_page(const Atlas& atlas);
PageFile cluster_page(const Atlas& atlas, int cluster);
PageFile evaluation_page(const Atlas& atlas);
PageFile duplicates_page(const Atlas& atlas);
PageFile rejects_page(const Atlas& atlas);
PageFile names_page(const Atlas& atlas);
PageFile provenance_page(const Atlas& atlas);

/// clusters.json: what each cluster is about, for programs.
PageFile clusters_json(const Atlas& atlas);

/// data/map.js: positions, colourings and places of the thumbnails.
PageFile map_data(const Atlas& atlas);
/// data/paths.js: paths of all images below their common folder, apart because they are long and
/// wanted later.
PageFile path_data(const Atlas& atlas);
/// data/decision.js: the decision graph; an empty one without densities.
PageFile decision_data(const Atlas& atlas);

/// All pages and data files, and the files of web/.
std::vector<PageFile> all_pages(const Atlas& atlas);

}  // namespace nanoatlas::atlas
