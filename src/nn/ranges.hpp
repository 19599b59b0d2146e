// How far the values of a network's layers reach: what quantisation to 8 bits is calibrated by.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "comm/communicator.hpp"

namespace nanoatlas::nn {

class Network;

/// Of one layer's values; what lies behind the limit is clipped.
struct Range {
    double limit = 1;  ///< > 0
    bool is_signed = false;
    bool operator==(const Range&) const = default;
};

/// By node.
using Ranges = std::map<std::string, Range>;

/// Counts of magnitudes in bins from 0 to a power of two, which grows with the values. Bins are
/// merged exactly, so the order of values, and how they lie on ranks, does not show.
class Histogram {
  public:
    /// throws InputError if a value is not finite
    void add(std::span<const float> values);
    /// Over all ranks. Collective.
    void sum(const comm::Communicator& comm);
    /// The limit of least square error of rounding and clipping together, to 255 levels above 0,
    /// or to 127 on both sides where values are negative. Sung et al., arXiv:1511.06488.
    Range best_range() const;

  private:
    static constexpr int bins = 4096;
    bool is_empty() const;
    void grow(int exponent);

    std::vector<std::int64_t> counts_ = std::vector<std::int64_t>(bins, 0);
    int exponent_ = -100;  ///< bins end at 2^exponent
    bool is_signed_ = false;
};

/// Finds the ranges of a network's layers by watching it.
class RangeFinder {
  public:
    /// Passes images through the network in f32; as Network::forward. Not collective.
    void add(Network& network, std::span<const float> images);
    /// Over the images of all ranks, the same on each. Collective; every rank may have added
    /// different images of the same network, or none.
    Ranges ranges(const Network& network, const comm::Communicator& comm);

  private:
    std::map<std::string, Histogram> histograms_;
};

}  // namespace nanoatlas::nn
