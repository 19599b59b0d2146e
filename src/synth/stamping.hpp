// How solids are put onto a specimen row by row: what stands higher is seen, what cuts deeper is
// seen. For the files that draw solids, not for scenes.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "synth/stamps.hpp"

namespace nanoatlas::synth::stamping {

/// A height that is never seen.
inline constexpr float nothing = -std::numeric_limits<float>::max();

struct Box {
    int left, top, right, bottom;  // right and bottom excluded
};

/// The part of a rectangle that lies in the picture.
inline Box clip(const Specimen& specimen, float left, float top, float right, float bottom) {
    const auto inside = [&](float value) {
        return static_cast<int>(std::clamp(value, 0.0F, specimen.side()));
    };
    return {inside(std::floor(left)), inside(std::floor(top)), inside(std::ceil(right) + 1),
            inside(std::ceil(bottom) + 1)};
}

/// One row of scratch, kept by the thread: solids are many and small.
inline float* row_buffer(int count) {
    static thread_local std::vector<float> buffer;
    if (buffer.size() < static_cast<std::size_t>(count))
        buffer.resize(static_cast<std::size_t>(count));
    return buffer.data();
}

/// Calls heights(y, x0, count, out) for each row of the box, and keeps what stands higher.
template <class Heights>
void raise(Specimen& specimen, const Box& box, const Material& material, const Heights& heights) {
    const int count = box.right - box.left;
    if (count <= 0) return;
    float* h = row_buffer(count);
    for (int y = box.top; y < box.bottom; ++y) {
        heights(y, box.left, count, h);
        if (material.texture != nullptr && material.roughness > 0) {
            const float* rough = material.texture->row(y + material.offset_y);
            for (int i = 0; i < count; ++i)
                h[i] += material.roughness *
                        rough[(i + box.left + material.offset_x) & (Texture::side - 1)];
        }
        float* height = specimen.height.row(y) + box.left;
        float* yield = specimen.yield.row(y) + box.left;
        for (int i = 0; i < count; ++i) {
            const bool seen = h[i] > height[i];
            height[i] = seen ? h[i] : height[i];
            yield[i] = seen ? material.yield : yield[i];
        }
    }
}

/// As raise, keeping what lies lower; heights are +max where the hollow is not.
template <class Heights>
void lower(Specimen& specimen, const Box& box, float yield_within, const Heights& heights) {
    const int count = box.right - box.left;
    if (count <= 0) return;
    float* h = row_buffer(count);
    for (int y = box.top; y < box.bottom; ++y) {
        heights(y, box.left, count, h);
        float* height = specimen.height.row(y) + box.left;
        float* yield = specimen.yield.row(y) + box.left;
        for (int i = 0; i < count; ++i) {
            const bool cut = h[i] < height[i];
            height[i] = cut ? h[i] : height[i];
            yield[i] = cut ? yield_within : yield[i];
        }
    }
}

}  // namespace nanoatlas::synth::stamping
