// Input that a back end makes itself of grey u8 pictures: scaled, augmented, mixed, normalised. The
// arithmetic for one pixel is that of kernels/augment_pixel.hpp.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/reference/augment.hpp"

namespace nanoatlas::kernels {

struct PictureFormat {
    InputFormat input;
    std::int64_t most_pictures = 0;  ///< in one batch, partners of mixing included
};

/// The host's memory.
struct PictureBatch {
    /// Each picture: its pixels [height, width], and its number among those that are held.
    std::span<const std::uint8_t* const> pixels{};
    std::span<const std::int64_t> numbers{};
    std::span<const ImageView> views{};  ///< as many
    /// Sample i is share[i] of picture i and the rest of picture other[i]; empty: picture i.
    std::span<const std::int64_t> others{};
    std::span<const float> shares{};
};

class PictureReader {
  public:
    virtual ~PictureReader() = default;
    /// From now on pictures are read from these [count, height, width], which it takes whole.
    virtual void hold(const std::uint8_t* pixels, std::int64_t count) = 0;
    /// What read() makes input of from now on.
    virtual void set_batch(const PictureBatch& batch) = 0;
    /// to: [samples, size, size, channels] in the back end's precision.
    virtual void read(std::int64_t samples, void* to) = 0;
};

}  // namespace nanoatlas::kernels
