// A communicator as the CNN back ends see it.
#pragma once

#include "comm/communicator.hpp"
#include "kernels/cnn.hpp"

namespace nanoatlas::nn {

/// Collective to make. The communicator must outlive it.
class CommunicatorRanks final : public kernels::Ranks {
  public:
    explicit CommunicatorRanks(const comm::Communicator& comm) : comm_(comm), node_(comm.node()) {}

    int rank() const override { return comm_.rank(); }
    int size() const override { return comm_.size(); }
    int node_rank() const override { return node_.rank(); }
    int node_size() const override { return node_.size(); }
    void broadcast(std::span<char> bytes) const override { comm_.broadcast(bytes); }
    void sum(std::span<double> values) const override { comm_.sum(values); }

  private:
    const comm::Communicator& comm_;
    comm::Communicator node_;
};

}  // namespace nanoatlas::nn
