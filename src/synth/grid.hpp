// A picture of floats, row by row: heights, yields, signals.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace nanoatlas::synth {

class Grid {
  public:
    Grid(int width, int height, float value = 0)
        : width_(width),
          height_(height),
          values_(static_cast<std::size_t>(width) * static_cast<std::size_t>(height), value) {}

    int width() const { return width_; }
    int height() const { return height_; }
    float* row(int y) { return values_.data() + offset(y); }
    const float* row(int y) const { return values_.data() + offset(y); }
    float& operator()(int x, int y) { return row(y)[x]; }
    float operator()(int x, int y) const { return row(y)[x]; }
    std::span<float> values() { return values_; }
    std::span<const float> values() const { return values_; }

  private:
    std::size_t offset(int y) const {
        return static_cast<std::size_t>(y) * static_cast<std::size_t>(width_);
    }

    int width_, height_;
    std::vector<float> values_;
};

}  // namespace nanoatlas::synth
