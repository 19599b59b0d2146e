// What each pass of training feeds the network with: this rank's samples, varied and mixed.
#pragma once

#include <cstdint>
#include <vector>

#include "comm/communicator.hpp"
#include "nn/train/evaluation.hpp"
#include "nn/train/inputs.hpp"
#include "nn/train/settings.hpp"

namespace nanoatlas::nn {

struct Batch {
    std::vector<float> images;  ///< [n, elements]
    std::vector<std::int64_t> rows;
    std::vector<std::int32_t> labels;
    /// With mixup: what each is mixed with, and its own share; else empty.
    std::vector<std::int64_t> other_rows;
    std::vector<std::int32_t> other_labels;
    std::vector<float> share;
};

/// A function of (seed, pass, rank); joined over the ranks the same on any number of them.
class Batches {
  public:
    /// inputs, samples and comm must outlive this.
    Batches(const Inputs& inputs, const Samples& samples, const TrainSettings& settings,
            const comm::Communicator& comm);

    const TrainingOrder& order() const { return order_; }
    Batch get(const Pass& pass);
    /// That pass comes next.
    void will_need(const Pass& pass);

  private:
    /// Appends partners' pictures where another rank has them, and blends.
    void mix(Batch& batch, std::vector<Variation> variations, const Pass& pass);
    Variation variation(const Draw& draw) const;
    std::int32_t label(const Draw& draw) const;

    const Inputs& inputs_;
    const Samples& samples_;
    const comm::Communicator& comm_;
    TrainingOrder order_;
    double mixup_;
    std::uint64_t seed_;
};

}  // namespace nanoatlas::nn
