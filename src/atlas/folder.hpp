// The folder of an atlas: there whole or not at all.
#pragma once

#include <string>
#include <string_view>

#include "comm/communicator.hpp"

namespace nanoatlas::atlas {

/// Files are written into a folder beside the wanted one; publish() puts that in its place.
/// Destroyed without publish(), it removes what was written, and an atlas that was there before
/// stays as it was.
class AtlasFolder {
  public:
    /// Collective. throws InputError if the parent folder is missing or read-only, or if something
    /// other than an atlas is in the way
    AtlasFolder(std::string output, const comm::Communicator& comm);
    ~AtlasFolder();
    AtlasFolder(const AtlasFolder&) = delete;
    AtlasFolder& operator=(const AtlasFolder&) = delete;

    /// Any rank, not collective; path: relative, its folder is data/, clusters/, pictures/ or the
    /// root. throws EnvironmentError if it cannot be written (disk full)
    void write(const std::string& path, std::string_view bytes) const;

    /// Writes the marker atlas.json last, syncs to disk, and changes places with what was there.
    /// Collective.
    void publish(std::string_view marker);

  private:
    void check_output() const;
    std::string output_, temporary_;
    const comm::Communicator& comm_;
    bool published_ = false;
};

}  // namespace nanoatlas::atlas
