// The views of an image whose features are averaged: turned, cut, at several scales.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/reference/augment.hpp"

namespace nanoatlas::nn {

/// Views by name, the same for all images, or a number of random ones, which are functions of the
/// image's row and the view's number. The first one is always the whole image as it is.
class ViewSet {
  public:
    /// text: a number of views, the second and further ones drawn as training draws them; or names
    ///         with + between them, each combined with each:
    ///   flips       as it is, mirrored left to right, top to bottom, both (4)
    ///   symmetries  the 8 flips and rotations of the square
    ///   crops       whole, the four corners and the middle with 3/4 of the sides (6)
    ///   scales      whole, the middle with 4/5 and 3/5 of the sides (3)
    /// throws InputError for anything else: says what there is
    ViewSet(const std::string& text, int height, int width);

    std::int64_t count() const { return count_; }
    kernels::ImageView view(std::int64_t number, std::int64_t row) const;

  private:
    int height_, width_;
    std::int64_t count_;
    std::vector<kernels::ImageView> fixed_;  ///< empty: drawn
};

}  // namespace nanoatlas::nn
