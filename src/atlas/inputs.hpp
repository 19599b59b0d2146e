// What an atlas is drawn from, read once and checked to fit together.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "atlas/facts.hpp"
#include "atlas/split_trees.hpp"
#include "cluster/dimension.hpp"
#include "cluster/hdbscan/condensed_tree.hpp"

namespace nanoatlas::atlas {

/// The files; those behind `clusters` may be empty.
struct ReportFiles {
    std::string corpus, embedding, clusters;
    std::string map, predictions, metrics, scores, dimension;
};

struct Embedding {
    std::int64_t columns = 0;
    std::vector<float> values;      ///< [N, columns]
    std::vector<double> explained;  ///< share of the variance by column; empty: not known
};

/// Where the images lie on a map that was made for looking at.
struct Placement {
    std::string method;       ///< "tsne"; empty: not known
    std::vector<float> x, y;  ///< [N]
    /// [N], share of an image's nearest ones that are its nearest on the map; empty: not known
    std::vector<double> kept;
};

/// Z of Advanced Density Peaks, or HDBSCAN's min_cluster_size.
enum class ScannedSetting { significance, least_size };

/// Clusters at S values of a setting, and of T random parts of the rows.
struct Scan {
    ScannedSetting setting = ScannedSetting::significance;
    std::vector<double> value, clusters;               ///< [S]
    std::vector<double> noise, persistence, validity;  ///< [S], of least sizes alone
    std::vector<double> ari, ami, subsample_clusters;  ///< [S, T]

    std::int64_t subsamples() const {
        return value.empty() ? 0 : std::ssize(ari) / std::ssize(value);
    }
};

/// N rows, K clusters. Only the labels are always there.
struct Clusters {
    std::vector<std::int32_t> label;                     ///< [N], -1: in no cluster
    int count = 0;                                       ///< K
    std::vector<double> log_density, log_density_error;  ///< [N]
    std::vector<std::int32_t> halo;                      ///< [N], 1: below the nearest saddle
    std::vector<std::int64_t> centres;                   ///< [K], rows
    std::vector<double> saddle_density, saddle_error;    ///< [K, K]
    std::vector<double> probability;                     ///< [N], of belonging (HDBSCAN)
    std::optional<double> dimension;                     ///< intrinsic
    MergeTree tree;                                      ///< without peaks: not known
    cluster::CondensedTree condensed;                    ///< without lines: not known
    std::vector<std::int64_t> selected;                  ///< [K], their numbers in `condensed`
    Scan scan;
};

/// Of the images of the corpus, by path.
struct Predictions {
    std::vector<std::string> classes;  ///< of the network; behind them other answers that occur
    std::vector<std::int32_t> label;   ///< [N], the answer; -1: no prediction
    std::vector<std::int32_t> most_probable;  ///< [N], class, whether it is the answer or not
    std::vector<float> confidence;            ///< [N], its probability; NaN without a prediction

    /// Whether something was answered that is right or wrong, not "none of these".
    bool has_answer(std::size_t row) const;
};

struct Reject {
    std::string path, cause;
};

/// Where one of the files came from.
struct Source {
    std::string what;  ///< "corpus"
    std::string path;
    std::string provenance;  ///< JSON; empty for files that carry none
};

struct Inputs {
    std::int64_t rows = 0;  ///< N
    int height = 0, width = 0;
    std::vector<std::string> classes, path;
    std::vector<std::int32_t> label;  ///< [N], -1 none
    std::vector<std::int32_t> part;   ///< [N], 0 train, 1 validation, 2 test
    std::vector<std::int64_t> duplicate_of;
    std::vector<double> pixel_size;  ///< [m], NaN unknown
    Facts facts;
    std::vector<Reject> rejects;
    Embedding embedding;
    std::optional<Placement> placement;
    Clusters clusters;
    std::optional<Predictions> predictions;
    std::optional<cluster::DimensionScales> dimension;
    std::string metrics, scores;  ///< JSON, checked to be objects; empty: not given
    std::vector<Source> sources;

    bool has_labels() const;
    /// Whether a class of the network is that of a row, or one above or below it.
    bool is_right(std::size_t row, std::int32_t predicted) const;
};

/// Not collective. throws InputError if a file cannot be read or has another number of rows than
/// the corpus, if labels or centres point nowhere, or if the predictions know none of the images
Inputs read_inputs(const ReportFiles& files);

}  // namespace nanoatlas::atlas
