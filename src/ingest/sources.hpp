// Which images there are, told by one rank to all, and shared out by cost.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "image/list.hpp"

namespace nanoatlas::ingest {

/// As image::list_sources; rank 0 lists. Collective.
/// throws InputError on every rank if a given path does not exist, or there is no image at all
image::Listing list_sources(const std::vector<std::string>& given, const comm::Communicator& comm);

/// Which sources each rank decodes, costliest first: the next source goes to the rank with the
/// least cost so far (longest processing time first), so ranks end together whatever the sizes are.
/// The same on every rank.
class Shares {
  public:
    Shares(const std::vector<image::Source>& sources, int ranks);

    /// Indices of sources, costliest first.
    const std::vector<std::int64_t>& of(int rank) const {
        return share_[static_cast<std::size_t>(rank)];
    }
    double cost_of(int rank) const { return cost_[static_cast<std::size_t>(rank)]; }

  private:
    std::vector<std::vector<std::int64_t>> share_;
    std::vector<double> cost_;
};

/// Seconds, roughly, that reading and decoding takes.
double decoding_cost(const image::Source& source);

}  // namespace nanoatlas::ingest
