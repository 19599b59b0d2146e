#include "synth/micrograph.hpp"

#include <cmath>

#include "base/check.hpp"
#include "synth/categories.hpp"

namespace nanoatlas::synth {

int label_of(std::int64_t index) {
    return static_cast<int>(index % static_cast<std::int64_t>(categories.size()));
}

Micrograph draw(std::uint64_t seed, std::int64_t index, int size) {
    VALIDATE(
        size >= 16 && size <= 16384,
        "cannot draw micrographs of {0} x {0} pixels (16 to 16384 are possible); choose another "
        "size",
        size);
    const int label = label_of(index);
    base::Random scene_stream(seed, base::fnv1a("synth/scene"), index);
    base::Random scan_stream(seed, base::fnv1a("synth/scan"), index);
    const auto specimen = categories[static_cast<std::size_t>(label)].draw(scene_stream, size);
    const auto settings = choose_settings(scan_stream, specimen);
    return {expose(specimen, settings, scan_stream), label, specimen.pixel_size, settings};
}

std::vector<std::uint8_t> to_8_bit(const Micrograph& micrograph) {
    std::vector<std::uint8_t> pixels;
    pixels.reserve(micrograph.grey.values().size());
    for (const float grey : micrograph.grey.values())
        pixels.push_back(static_cast<std::uint8_t>(std::floor(grey * 255 + 0.5F)));
    return pixels;
}

}  // namespace nanoatlas::synth
