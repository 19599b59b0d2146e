// The pictures of a corpus as rows for an autoencoder.
#pragma once

#include "nn/train/images.hpp"
#include "nn/train/inputs.hpp"
#include "reduce/autoencoder/rows.hpp"

namespace nanoatlas::reduce {

/// Scaled to {1, side, side}; grey values in [0, 1] become (x - mean) / deviation. Any rank reads
/// any of them without a message. Needs a live kernels::kokkos::Runtime.
class PictureRows final : public AutoencoderRows {
  public:
    PictureRows(nn::Images images, int side, double mean, double deviation,
                const comm::Communicator& comm)
        : images_(std::move(images)),
          inputs_(images_, side, {mean}, {deviation}, std::nullopt, 0),
          block_(comm::row_block(images_.count(), comm)),
          side_(side) {}

    nn::Shape shape() const override { return {1, side_, side_}; }
    const comm::RowBlock& block() const override { return block_; }
    std::vector<float> own(std::span<const std::int64_t> rows) const override {
        return inputs_.plain(rows);
    }
    std::vector<float> fetch(std::span<const std::int64_t> rows) const override {
        return inputs_.plain(rows);
    }

  private:
    nn::Images images_;
    nn::ImageInputs inputs_;  // of these
    comm::RowBlock block_;
    int side_;
};

}  // namespace nanoatlas::reduce
