// The files of a synthesis: which there are, where they lie and what is in them, each a function of
// the options and its number.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "synth/encode.hpp"

namespace nanoatlas::synth {

struct FolderOptions {
    std::int64_t count = 2000;  ///< sound micrographs
    std::uint64_t seed = 1;
    int size = 512;                              ///< width and height of the micrograph [px]
    std::string formats = "zeiss,fei,jpeg,png";  ///< comma-separated; "tiff" is the first two
    std::int64_t damaged = 0;                    ///< broken files beside them
};

/// throws InputError if a name is unknown or none is given
std::vector<Format> parse_formats(const std::string& names);

struct File {
    std::string path;  ///< below the folder: "Powder/synth_000008.png"
    Bytes bytes;
};

class Files {
  public:
    /// throws InputError if the options make no sense
    explicit Files(const FolderOptions& options);

    /// Sound files come first, broken ones behind.
    std::int64_t count() const { return options_.count + options_.damaged; }
    std::string path(std::int64_t number) const;
    /// Draws and encodes; safe to call from several threads.
    File make(std::int64_t number) const;

  private:
    Format format_of(std::int64_t index) const;
    Bytes sound(std::int64_t index) const;

    FolderOptions options_;
    std::vector<Format> formats_;
};

}  // namespace nanoatlas::synth
