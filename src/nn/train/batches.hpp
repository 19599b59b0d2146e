// What each pass of training feeds the network with: this rank's samples, varied and mixed.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "comm/communicator.hpp"
#include "nn/train/evaluation.hpp"
#include "nn/train/inputs.hpp"
#include "nn/train/settings.hpp"

namespace nanoatlas::nn {

struct Batch {
    std::vector<float> images;         ///< [n, elements]; or instead of them
    std::optional<Pictures> pictures;  ///< of which the back end makes them
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
    /// From now on with pictures in the place of images. The inputs must be pictures.
    void hand_out_pictures() { pictures_ = inputs_.pictures(); }
    /// Most pictures that a batch of n samples has.
    std::int64_t most_pictures(std::int64_t n) const { return mixup_ > 0 ? 2 * n : n; }
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
    const ImageInputs* pictures_ = nullptr;
    double mixup_;
    std::uint64_t seed_;
};

}  // namespace nanoatlas::nn
