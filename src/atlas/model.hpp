// All that the pages of an atlas say, worked out from its inputs before anything is written.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "atlas/dendrogram.hpp"
#include "atlas/exemplars.hpp"
#include "atlas/histogram.hpp"
#include "atlas/inputs.hpp"
#include "atlas/layout.hpp"
#include "atlas/portrait.hpp"
#include "atlas/silhouettes.hpp"
#include "atlas/split_trees.hpp"
#include "atlas/tiles.hpp"

namespace nanoatlas::atlas {

/// Images of the corpus that are drawn into the sheets <stem>0.jpg, <stem>1.jpg, ...
struct SheetSet {
    std::string stem;  ///< "data/map-"
    SheetLayout layout;
    std::vector<std::int64_t> rows;  ///< [layout.tiles]

    std::string file(std::int64_t sheet) const { return stem + std::to_string(sheet) + ".jpg"; }
};

/// A set of pictures for a page, each row of the corpus once.
class Gallery {
  public:
    /// Without sheets.
    Gallery() = default;
    Gallery(std::string stem, int tile, int columns);
    /// Takes the row in, unless it is there.
    void add(std::int64_t row);
    /// Number of the row's tile. The row must have been added.
    std::int64_t tile_of(std::int64_t row) const { return tile_of_.at(row); }
    const SheetSet& sheets() const { return sheets_; }

  private:
    SheetSet sheets_;
    std::unordered_map<std::int64_t, std::int64_t> tile_of_;
};

struct Atlas {
    Inputs inputs;
    std::string clustering;  ///< fingerprint of the labels: names given to clusters hang on it
    std::vector<MapAxis> axes;
    std::vector<std::string> cluster_colours, class_colours, prediction_colours;
    std::vector<ClusterMembers> members;  ///< [K]
    std::vector<Portrait> portraits;      ///< [K]
    std::vector<double> peak_error;       ///< [K], of the peaks' log density; empty: no topography
    Topography topography;                ///< without clusters if saddles are not known
    Dendrogram tree;
    std::vector<SplitTree> splits;  ///< [K]; empty if the tree of peaks is not known
    std::vector<double> height;     ///< [N], log density less its error, by which Advanced Density
                                    ///< Peaks ranks the images; empty: no densities
    std::vector<float> separation;  ///< [N], of the decision graph over height
    Silhouettes silhouettes;        ///< of some rows; empty: fewer than two clusters
    std::string path_root;          ///< the folder, with its slash, that all paths begin with
    LogBins pixel_bins;
    SheetSet map;                    ///< every image, neighbours on the map together
    Gallery covers;                  ///< a few of each cluster
    Gallery copies;                  ///< duplicates and what they repeat
    std::vector<Gallery> galleries;  ///< [K]

    bool has_topography() const { return topography.clusters() > 0; }
    bool has_condensed_tree() const { return inputs.clusters.condensed.lines() > 0; }
    int clusters() const { return inputs.clusters.count; }
    std::vector<SheetSet> all_sheets() const;
    /// By how many standard errors the lower of two peaks stands above the saddle between them, the
    /// Z that Advanced Density Peaks compares with its threshold.
    double significance(int a, int b) const;
    /// Up to six members that stand for a cluster on the overview: from its centre outwards.
    std::vector<std::int64_t> cover(int cluster) const;
    /// Of the clusters that would fall apart at a lower Z, the largest first.
    std::vector<const SplitTree*> trees_that_split() const;
    /// Clusters by descending size; of equal ones the lower number first.
    std::vector<int> by_size() const;
};

/// Without separations and silhouettes, which need all ranks. threads: OpenMP's.
Atlas make_atlas(Inputs inputs);

/// The longest beginning of all paths that ends in a slash; may be empty.
std::string common_folder(const std::vector<std::string>& paths);

/// "Cluster 7"; "No cluster" for -1.
std::string cluster_name(std::int32_t cluster);
/// What stands for the label in a list of names; "none" for -1.
std::string_view class_name(const std::vector<std::string>& classes, std::int32_t label);

}  // namespace nanoatlas::atlas
