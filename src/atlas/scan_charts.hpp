// Charts of what other settings of a clustering would have given.
#pragma once

#include <string>

#include "atlas/inputs.hpp"

namespace nanoatlas::atlas {

/// Agreement of the clusters with those of random parts of the images, over the setting; needs
/// subsamples.
std::string stability_chart(const Scan& scan);
/// Number of clusters over the setting, of all images and of random parts.
std::string cluster_number_chart(const Scan& scan);
/// Share of noise, persistence and validity over the least size of a cluster; needs these.
std::string quality_chart(const Scan& scan);

/// "clusters-by-Z" or "clusters-by-size": the file of cluster_number_chart().
const char* cluster_number_file(const Scan& scan);

}  // namespace nanoatlas::atlas
