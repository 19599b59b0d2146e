// How far the values of a network's layers reach, by channel: what quantisation to 8 bits is
// calibrated by.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "comm/communicator.hpp"

namespace nanoatlas::nn {

class Network;

/// Of one layer's values, by channel; 0 lies in it.
struct Range {
    std::vector<float> low, high;

    explicit Range(std::size_t channels) : low(channels), high(channels) {}
    bool operator==(const Range&) const = default;
    /// Includes values [rows, channels].
    /// throws InputError if one is not finite
    void add(std::span<const float> values);
    float lowest() const;
    float highest() const;
};

/// By node.
using Ranges = std::map<std::string, Range>;

/// Finds the ranges of a network's layers by watching it.
class RangeFinder {
  public:
    /// Passes images through the network in f32; as Network::forward. Not collective.
    void add(Network& network, std::span<const float> images);
    /// Over the images of all ranks, the same on each. Collective; every rank may have added
    /// different images of the same network, or none.
    Ranges ranges(const Network& network, const comm::Communicator& comm);

  private:
    Ranges ranges_;
};

}  // namespace nanoatlas::nn
