#include "kernels/reference/augment.hpp"

#include <algorithm>
#include <cmath>

namespace nanoatlas::kernels::reference {
namespace {

/// Value in [0, 1] of the scaled crop at (y, x).
double sample(const std::uint8_t* image, const InputFormat& format, const ImageView& view, int y,
              int x) {
    const double scale_y = static_cast<double>(view.height) / format.size;
    const double scale_x = static_cast<double>(view.width) / format.size;
    const double centre_y = view.top + (y + 0.5) * scale_y;
    const double centre_x = view.left + (x + 0.5) * scale_x;
    double sum = 0, weights = 0;
    for (int j = 0; j < format.height; ++j) {
        const double weight_y = 1 - std::abs(j + 0.5 - centre_y) / std::max(1.0, scale_y);
        for (int i = 0; i < format.width && weight_y > 0; ++i) {
            const double weight_x = 1 - std::abs(i + 0.5 - centre_x) / std::max(1.0, scale_x);
            if (weight_x <= 0) continue;
            sum += weight_y * weight_x * image[j * format.width + i];
            weights += weight_y * weight_x;
        }
    }
    return sum / weights / 255;
}

}  // namespace

void augment(std::span<const std::uint8_t* const> images, std::span<const ImageView> views,
             const InputFormat& format, std::span<float> output) {
    const auto size = static_cast<std::size_t>(format.size);
    float* out = output.data();
    for (std::size_t n = 0; n < images.size(); ++n)
        for (std::size_t channel = 0; channel < format.mean.size(); ++channel)
            for (std::size_t y = 0; y < size; ++y)
                for (std::size_t x = 0; x < size; ++x) {
                    const auto& view = views[n];
                    const std::size_t row = (view.orientation & 2) != 0 ? size - 1 - y : y;
                    const std::size_t column = (view.orientation & 1) != 0 ? size - 1 - x : x;
                    const bool transposed = (view.orientation & 4) != 0;
                    const double value =
                        sample(images[n], format, view, static_cast<int>(transposed ? column : row),
                               static_cast<int>(transposed ? row : column));
                    const double noise = view.noise * pixel_noise(view.noise_key, y * size + x);
                    const double toned =
                        std::clamp(view.gain * value + view.offset + noise, 0.0, 1.0);
                    *out++ =
                        static_cast<float>((toned - format.mean[channel]) / format.std[channel]);
                }
}

}  // namespace nanoatlas::kernels::reference
