// Where each tensor of a graph lies in a network's flat buffers.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "nn/fusion.hpp"
#include "nn/graph.hpp"
#include "nn/network.hpp"

namespace nanoatlas::nn {

class ParameterLayout {
  public:
    /// Trained parameters in the order in which back-propagation through the groups finishes them;
    /// frozen ones behind.
    ParameterLayout(const Graph& graph, const std::vector<Group>& groups,
                    const std::vector<bool>& trained);

    const std::vector<ParameterSlot>& slots() const { return slots_; }
    /// Running statistics; none of them counts as frozen.
    const std::vector<ParameterSlot>& buffer_slots() const { return buffer_slots_; }
    std::int64_t size() const { return size_; }
    std::int64_t trained_size() const { return trained_size_; }
    std::int64_t buffer_size() const { return buffer_size_; }

    /// Offset of a parameter or a running statistic in its buffer.
    std::int64_t offset(const std::string& name) const { return offsets_.at(name); }
    /// Behind the last trained parameter of a node; 0 if it has none.
    std::int64_t trained_end(const std::string& node) const;

  private:
    std::vector<ParameterSlot> slots_, buffer_slots_;
    std::map<std::string, std::int64_t> offsets_, trained_end_;
    std::int64_t size_ = 0, trained_size_ = 0, buffer_size_ = 0;
};

}  // namespace nanoatlas::nn
