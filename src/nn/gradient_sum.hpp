// Gradients summed over the ranks while the rest of them is still computed.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "kernels/cnn.hpp"

namespace nanoatlas::nn {

/// One step's sum, in place, in slices of about bucket_bytes: by the back end if it sums over
/// ranks, else by the communicator. Every rank calls the same members with the same numbers.
class GradientSum {
  public:
    /// gradients: in the back end's memory
    GradientSum(std::span<float> gradients, std::int64_t bucket_bytes,
                const comm::Communicator& comm, kernels::Backend& backend);
    /// The first n gradients of this rank are final; full buckets among them set out.
    void finished(std::int64_t n);
    /// Waits until all are summed.
    void wait();

  private:
    void start(std::int64_t end);

    std::span<float> gradients_;
    std::int64_t bucket_;
    const comm::Communicator& comm_;
    kernels::Backend& backend_;
    std::int64_t started_ = 0;
    std::vector<comm::Request> requests_;
};

}  // namespace nanoatlas::nn
