// Sums over ranks of values on their devices.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <memory>
#include <span>

#include "kernels/cnn.hpp"

namespace nanoatlas::kernels::cudnn {

class RankSums {
  public:
    virtual ~RankSums() = default;
    /// It does nothing but what CUDA can record.
    virtual bool is_recordable() const = 0;
    /// In place, in the order of the stream.
    virtual void sum(std::span<double> values) = 0;
    /// Sets out to sum values in place once the stream has come so far, beside what follows.
    virtual void start(std::span<float> values) = 0;
    /// What follows on the stream comes after the sums that have set out.
    virtual void finish() = 0;
};

/// own_devices: no two ranks share one, so NCCL sums (on the stream, and on one beside it); else
/// MPI does, through the host. Collective.
std::unique_ptr<RankSums> make_rank_sums(const Ranks& ranks, cudaStream_t stream, bool own_devices);

}  // namespace nanoatlas::kernels::cudnn
