#include "image/fingerprint.hpp"

#include <xxhash.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "image/resize.hpp"

namespace nanoatlas::image {
namespace {

constexpr int side = 32;
constexpr int frequencies = 8;

/// Cosines [frequencies, side] of the frequencies 1 .. 8; the constant one carries only brightness.
const std::array<std::array<float, side>, frequencies>& cosines() {
    static const auto table = [] {
        std::array<std::array<float, side>, frequencies> values{};
        for (int f = 0; f < frequencies; ++f)
            for (int x = 0; x < side; ++x)
                values[f][x] = static_cast<float>(
                    std::cos(std::numbers::pi * (f + 1) * (2 * x + 1) / (2.0 * side)));
        return values;
    }();
    return table;
}

std::uint64_t perceptual_hash(const std::vector<float>& grid) {
    const auto& table = cosines();
    std::array<std::array<float, side>, frequencies> rows{};
    for (int f = 0; f < frequencies; ++f)
        for (int y = 0; y < side; ++y)
            for (int x = 0; x < side; ++x)
                rows[f][x] += table[f][y] * grid[static_cast<std::size_t>(y * side + x)];
    std::uint64_t hash = 0;
    for (int f = 0; f < frequencies; ++f)
        for (int g = 0; g < frequencies; ++g) {
            float sum = 0;
            for (int x = 0; x < side; ++x) sum += rows[f][x] * table[g][x];
            hash |= static_cast<std::uint64_t>(sum > 0) << (f * frequencies + g);
        }
    return hash;
}

/// Four times the grid's value minus its neighbours', at every other point.
std::vector<float> local_contrast(const std::vector<float>& grid) {
    const auto at = [&](int y, int x) {
        return grid[static_cast<std::size_t>(std::clamp(y, 0, side - 1) * side +
                                             std::clamp(x, 0, side - 1))];
    };
    std::vector<float> contrast;
    for (int y = 0; y < side; ++y)
        for (int x = y % 2; x < side; x += 2)
            contrast.push_back(4 * at(y, x) - at(y - 1, x) - at(y + 1, x) - at(y, x - 1) -
                               at(y, x + 1));
    return contrast;
}

float median_of_magnitudes(std::vector<float> values) {
    for (auto& value : values) value = std::abs(value);
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

Detail detail_of(const std::vector<float>& grid) {
    const auto contrast = local_contrast(grid);
    const float median = median_of_magnitudes(contrast);
    Detail detail;
    for (std::size_t i = 0; i < contrast.size(); ++i) {
        const auto bit = std::uint64_t{1} << (i % 64);
        if (std::abs(contrast[i]) > median) detail.strong[i / 64] |= bit;
        if (contrast[i] > 0) detail.brighter[i / 64] |= bit;
    }
    return detail;
}

}  // namespace

std::uint64_t checksum(std::span<const std::uint8_t> pixels) {
    return XXH3_64bits(pixels.data(), pixels.size());
}

Fingerprint fingerprint(std::span<const std::uint8_t> pixels, int size) {
    const std::vector<std::uint8_t> copy(pixels.begin(), pixels.end());
    const auto grid = resample(copy, size, size, side, side);
    return {
        .exact = checksum(pixels), .perceptual = perceptual_hash(grid), .detail = detail_of(grid)};
}

}  // namespace nanoatlas::image
