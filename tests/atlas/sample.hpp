// Small artefacts to draw an atlas from.
#pragma once

#include <string>
#include <vector>

#include "comm/communicator.hpp"

namespace nanoatlas::testing {

struct Sample {
    int images = 60;
    int clusters = 3;
    bool has_labels = true;
    bool has_topography = true;       ///< densities, halo, centres and saddles
    bool has_scan = false;            ///< the tree of peaks, a Z-scan and its stability
    bool has_condensed_tree = false;  ///< of HDBSCAN, and a scan of least sizes
    bool has_variances = true;        ///< of the embedding's columns, as a PCA writes them
    bool has_map = false;             ///< a t-SNE map
    bool has_noise = false;           ///< every seventh image is in no cluster
    bool has_predictions = true;
    bool has_rejections = false;  ///< every seventh prediction is none of these
    int rejects = 2;
    int image_side = 48;
};

/// Names that would break a page which does not escape them.
inline const std::vector<std::string> hostile_names = {
    "<script>document.title='hit'</script>", "a\"b' onload=\"x", "</script><img src=x onerror=y>",
    "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x94\xAC & {{content}}", "line\nbreak\\u003c%22"};

/// Writes corpus.h5, embedding.h5, clusters.h5 and, where wanted, predictions.h5 and map.h5 into
/// the folder. The same on any number of ranks. Collective.
void write_sample(const std::string& folder, const Sample& sample, const comm::Communicator& comm);

}  // namespace nanoatlas::testing
