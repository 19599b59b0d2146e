// Which images a user means: folders, lists and single files turned into sources in sorted order.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace nanoatlas::image {

/// One image to read.
struct Source {
    /// As in /path; an image of an IDX file is "FILE#17".
    std::string path{};
    /// Path below the folder that was given; for matching tables.
    std::string relative{};
    /// Path of its folder below the one given ("Nanowires/Forest"), the folder's name in a list, or
    /// the label of the IDX pair; "" none.
    std::string folder_label{};
    /// A file beside it that describes it; "" none.
    std::string sidecar{};
    /// Position in an IDX file; -1: the file is the image.
    std::int64_t idx = -1;
    /// Size of the file, or of the image in the IDX file.
    std::int64_t bytes = 0;
    /// Of an IDX file that is called a test set (t10k-..., test-...).
    bool in_test_set = false;

    /// The file to open.
    std::string file() const { return idx < 0 ? path : path.substr(0, path.rfind('#')); }
};

struct Rejected {
    std::string path, cause;
};

struct Listing {
    std::vector<Source> sources;     ///< sorted by path, each path once
    std::vector<Rejected> rejected;  ///< folders that cannot be read, dangling links
    std::int64_t passed_over = 0;    ///< files that are no images by their names
};

/// given: folders (walked, symbolic links followed, cycles noticed), images, IDX files (.gz too),
/// or lists (.txt, .lst: a path a line, relative to the list). Not collective: one rank lists and
/// tells. throws InputError if one of them does not exist
Listing list_sources(const std::vector<std::string>& given);

}  // namespace nanoatlas::image
