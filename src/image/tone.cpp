#include "image/tone.hpp"

#include <cstdint>
#include <vector>

namespace nanoatlas::image {
namespace {

constexpr double tail = 0.005;
/// An 8-bit image whose percentiles lie closer is of low contrast.
constexpr int low_contrast = 64;

}  // namespace

Tone choose_tone(const GreyImage& image, int first, int end) {
    std::vector<std::uint64_t> histogram(image.bits == 8 ? 256 : 65536);
    for (int y = first; y < end; ++y)
        for (int x = 0; x < image.width; ++x) ++histogram[image.row(y)[x]];
    const double total = static_cast<double>(end - first) * image.width;
    const auto percentile = [&](double share) {
        double below = 0;
        for (std::size_t value = 0; value < histogram.size(); ++value) {
            below += static_cast<double>(histogram[value]);
            if (below > share * total) return static_cast<double>(value);
        }
        return static_cast<double>(histogram.size() - 1);
    };
    const double low = percentile(tail), high = percentile(1 - tail);
    const bool is_flat = high <= low;
    const bool is_fine = image.bits == 8 && high - low >= low_contrast;
    if (is_flat || is_fine) return {.low = 0, .high = static_cast<double>(histogram.size() - 1)};
    return {.low = low, .high = high, .by_percentiles = true};
}

}  // namespace nanoatlas::image
