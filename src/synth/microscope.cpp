#include "synth/microscope.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "synth/filters.hpp"
#include "synth/noise.hpp"

namespace nanoatlas::synth {
namespace {

// After a bright stretch the line goes dark and recovers slowly, and whole lines jump where an
// insulator discharges.
void add_charging(Grid& signal, float strength, base::Random& random) {
    const float average = mean(signal), recovery = 6 / static_cast<float>(signal.width());
    for (int y = 0; y < signal.height(); ++y) {
        float* row = signal.row(y);
        const bool discharge = random.chance(0.03 * strength);
        const float jump =
            discharge ? average * strength * static_cast<float>(random.uniform(-0.5, 0.7)) : 0;
        const auto from =
            static_cast<int>(random.below(static_cast<std::uint64_t>(signal.width())));
        float charge = 0;
        for (int x = 0; x < signal.width(); ++x) {
            const float value = row[x];
            row[x] = value - 0.6F * strength * charge + (x > from ? jump : 0);
            charge += recovery * 3 * (value - average) - recovery * charge;
        }
    }
}

// Lines shifted by a slowly wandering amount: the stage moves while the frame is scanned.
void add_drift(Grid& signal, float drift, base::Random& random) {
    Grid shift(1, signal.height());
    add_noise(shift, random, {4, static_cast<float>(signal.height()) / 2}, drift);
    add_noise(shift, random, {4, static_cast<float>(signal.height()) / 24}, drift / 8);
    std::vector<float> moved(static_cast<std::size_t>(signal.width()));
    const int last = signal.width() - 1;
    for (int y = 0; y < signal.height(); ++y) {
        float* row = signal.row(y);
        const int half = last / 2;
        const auto limit = static_cast<float>(half);
        const float wanted = std::clamp(shift(0, y), -limit, limit), floor = std::floor(wanted);
        const float share = wanted - floor;
        const int whole = static_cast<int>(floor);
        const auto mirrored = [&](int x) { return row[x < 0 ? -x : x > last ? 2 * last - x : x]; };
        for (int x = 0; x <= last; ++x) {
            const float here = mirrored(x + whole), next = mirrored(x + whole + 1);
            moved[static_cast<std::size_t>(x)] = here + share * (next - here);
        }
        std::copy(moved.begin(), moved.end(), row);
    }
}

// A 32-bit hash of a counter (Wellons, "lowbias32"), cheap enough for every pixel.
std::uint32_t hash(std::uint32_t x) {
    x = (x ^ (x >> 16)) * 0x7feb352dU;
    x = (x ^ (x >> 15)) * 0x846ca68bU;
    return x ^ (x >> 16);
}

// Counts electrons: a Poisson variate by the square of a normal one (Anscombe, Biometrika 35 (1948)
// 246), which keeps mean, spread and skewness down to a few counts. The normal variate is the sum
// of the four bytes of a hash and those of its successor (Irwin-Hall, 8 terms).
void add_shot_noise(Grid& signal, float electrons, float line_noise, base::Random& random) {
    const float scale = electrons / std::max(mean(signal), 1e-6F);
    const auto key = static_cast<std::uint32_t>(random());
    const float spread = 1 / std::sqrt(8 * (256.0F * 256.0F - 1) / 12);
    std::uint32_t counter = key;
    for (int y = 0; y < signal.height(); ++y) {
        float* row = signal.row(y);
        const float offset = electrons * line_noise * static_cast<float>(random.normal());
        for (int x = 0; x < signal.width(); ++x) {
            const std::uint32_t a = hash(counter + 2 * static_cast<std::uint32_t>(x));
            const std::uint32_t b = hash(counter + 2 * static_cast<std::uint32_t>(x) + 1);
            const std::uint32_t pairs = (a & 0x00FF00FFU) + ((a >> 8) & 0x00FF00FFU) +
                                        (b & 0x00FF00FFU) + ((b >> 8) & 0x00FF00FFU);
            const auto sum = static_cast<std::int32_t>((pairs & 0xFFFFU) + (pairs >> 16));
            const float normal = static_cast<float>(sum - 4 * 255) * spread;
            const float root = std::sqrt(std::max(scale * row[x] + offset, 0.0F)) + normal / 2;
            row[x] = root > 0.5F ? root * root - 0.25F : 0;
        }
        counter += 2 * static_cast<std::uint32_t>(signal.width());
    }
}

// Contrast and brightness, as knobs do it: linear, then clipped; then gamma by a table.
void develop(Grid& signal, const Settings& settings, const Range& span) {
    constexpr int entries = 4096;
    std::vector<float> table(entries + 1);
    for (int i = 0; i <= entries; ++i)
        table[static_cast<std::size_t>(i)] =
            std::pow(static_cast<float>(i) / entries, settings.gamma);
    // No operator turns the gain up until a plain surface shows noise alone.
    const float noise = std::sqrt(settings.electrons);
    const float least = 0.25F * settings.electrons + 3 * noise;
    const float middle = (span.low + span.high) / 2;
    const float gain = settings.contrast / std::max(span.high - span.low, least);
    const float* curve = table.data();
    for (float& value : signal.values()) {
        const float grey =
            std::clamp(settings.brightness + gain * (value - middle), 0.0F, 1.0F) * entries;
        const int at = std::min(static_cast<int>(grey), entries - 1);
        value = curve[at] + (grey - static_cast<float>(at)) * (curve[at + 1] - curve[at]);
    }
}

Detector choose_detector(base::Random& random) {
    const double choice = random.uniform();
    if (choice < 0.62) return Detector::secondary;
    return choice < 0.88 ? Detector::in_lens : Detector::backscatter;
}

}  // namespace

Settings choose_settings(base::Random& random, const Specimen& specimen) {
    constexpr std::array voltages = {1e3, 2e3, 3e3, 5e3, 5e3, 10e3, 15e3, 20e3};
    const auto uniform = [&](double low, double high) {
        return static_cast<float>(random.uniform(low, high));
    };
    const float finest = specimen.side() / 512;
    Settings settings;
    settings.detector = choose_detector(random);
    settings.voltage = voltages[random.below(voltages.size())];
    settings.working_distance = std::round(random.uniform(2.5, 13) * 10) * 1e-4;
    settings.azimuth = uniform(0, 2 * std::numbers::pi);
    const float beam = finest * log_uniform(random, 0.55, 1.5);
    settings.beam_x = std::max(0.3F, beam * uniform(0.9, 1.15));
    settings.beam_y = std::max(0.3F, beam * uniform(0.9, 1.15));
    settings.electrons = log_uniform(random, 35, 700);
    settings.line_noise = random.chance(0.3) ? uniform(0.005, 0.03) : 0;
    settings.drift = random.chance(0.3) ? finest * uniform(0.5, 2.5) : 0;
    settings.charging = specimen.charging * uniform(0, 1);
    settings.brightness = uniform(0.40, 0.58);
    settings.contrast = uniform(0.55, 0.9);
    if (random.chance(0.05)) settings.contrast = uniform(0.15, 0.3);
    settings.gamma = uniform(0.8, 1.2);
    return settings;
}

Grid expose(const Specimen& specimen, const Settings& settings, base::Random& random) {
    Grid signal = blur(detected_signal(specimen, settings), settings.beam_x, settings.beam_y);
    if (settings.charging > 0.05F) add_charging(signal, settings.charging, random);
    if (settings.drift > 0) add_drift(signal, settings.drift, random);
    const float scale = settings.electrons / std::max(mean(signal), 1e-6F);
    const auto span = percentiles(signal, 0.01, 0.99);
    add_shot_noise(signal, settings.electrons, settings.line_noise, random);
    develop(signal, settings, {scale * span.low, scale * span.high});
    return signal;
}

}  // namespace nanoatlas::synth
