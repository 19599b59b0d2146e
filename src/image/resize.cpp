#include "image/resize.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace nanoatlas::image {
namespace {

/// For each output position the input positions it draws on: one dimension of a separable filter.
class Filter {
  public:
    /// Maps [begin, begin + length) to `count` outputs; inputs in [lowest, limit) may be drawn on.
    Filter(double begin, double length, int lowest, int limit, int count) {
        const double step = length / count;
        for (int i = 0; i < count; ++i)
            add_triangle(begin + (i + 0.5) * step - 0.5, std::max(1.0, step), lowest, limit);
    }
    struct Taps {
        int first = 0;
        std::vector<float> weights;
    };
    const std::vector<Taps>& taps() const { return taps_; }
    /// The inputs that any output draws on: [first, end).
    int first() const { return taps_.front().first; }
    int end() const { return taps_.back().first + static_cast<int>(taps_.back().weights.size()); }

  private:
    /// Weights fall linearly from the centre to nothing at the given distance; what lies outside
    /// [lowest, limit) counts for nothing.
    void add_triangle(double centre, double support, int lowest, int limit) {
        const int first =
            std::clamp(static_cast<int>(std::floor(centre - support)) + 1, lowest, limit - 1);
        Taps taps{.first = first, .weights = {}};
        for (int x = first; x < limit && x < centre + support; ++x)
            taps.weights.push_back(
                static_cast<float>(std::max(1e-9, 1 - std::abs(x - centre) / support)));
        if (taps.weights.empty()) taps.weights = {1};
        normalise(taps.weights);
        taps_.push_back(std::move(taps));
    }
    static void normalise(std::vector<float>& weights) {
        const float sum = std::accumulate(weights.begin(), weights.end(), 0.0F);
        for (auto& weight : weights) weight /= sum;
    }

    std::vector<Taps> taps_;
};

/// row_at(y, out) fills a row of `width` floats; rows are asked for in ascending order, each once.
template <class RowAt>
std::vector<float> filter_separably(const Filter& rows, const Filter& columns, int width,
                                    const RowAt& row_at) {
    const std::size_t out_width = columns.taps().size();
    std::vector<float> out(rows.taps().size() * out_width);
    std::vector<float> row(static_cast<std::size_t>(width)), narrow(out_width);
    std::size_t begin = 0;  // the first output row that may still need this input row
    for (int y = rows.first(); y < rows.end(); ++y) {
        row_at(y, row.data());
        for (std::size_t x = 0; x < out_width; ++x) {
            const auto& taps = columns.taps()[x];
            float sum = 0;
            for (std::size_t t = 0; t < taps.weights.size(); ++t)
                sum += taps.weights[t] * row[static_cast<std::size_t>(taps.first) + t];
            narrow[x] = sum;
        }
        for (std::size_t o = begin; o < rows.taps().size(); ++o) {
            const auto& taps = rows.taps()[o];
            if (taps.first > y) break;
            const auto t = static_cast<std::size_t>(y - taps.first);
            if (t >= taps.weights.size()) {
                if (o == begin) ++begin;
                continue;
            }
            const float weight = taps.weights[t];
            for (std::size_t x = 0; x < out_width; ++x)
                out[o * out_width + x] += weight * narrow[x];
        }
    }
    return out;
}

struct Window {
    double left = 0, top = 0, width = 0, height = 0;  ///< of the image
    int out_width = 0, out_height = 0;                ///< in the square, centred
};

Window choose_window(int width, int first, int end, Fit fit, int size) {
    const double height = end - first;
    if (fit == Fit::squash)
        return {.top = double(first),
                .width = double(width),
                .height = height,
                .out_width = size,
                .out_height = size};
    if (fit == Fit::crop) {
        const double side = std::min<double>(width, height);
        return {.left = (width - side) / 2,
                .top = first + (height - side) / 2,
                .width = side,
                .height = side,
                .out_width = size,
                .out_height = size};
    }
    const double larger = std::max<double>(width, height);
    const auto shrink = [&](double side) {
        return std::clamp(static_cast<int>(std::lround(side * size / larger)), 1, size);
    };
    return {.top = double(first),
            .width = double(width),
            .height = height,
            .out_width = shrink(width),
            .out_height = shrink(height)};
}

std::uint8_t to_byte(float value) {
    return static_cast<std::uint8_t>(std::clamp(value + 0.5F, 0.0F, 255.0F));
}

}  // namespace

Scaled scale_to_square(const GreyImage& image, int first, int end, const Tone& tone, Fit fit,
                       int size) {
    const auto window = choose_window(image.width, first, end, fit, size);
    const Filter rows(window.top, window.height, first, end, window.out_height);
    const Filter columns(window.left, window.width, 0, image.width, window.out_width);
    const auto low = static_cast<float>(tone.low);
    const auto gain = static_cast<float>(255 / (tone.high - tone.low));
    const auto row_at = [&](int y, float* out) {
        const auto* in = image.row(y);
        for (int x = 0; x < image.width; ++x)
            out[x] = std::clamp((static_cast<float>(in[x]) - low) * gain, 0.0F, 255.0F);
    };
    const auto values = filter_separably(rows, columns, image.width, row_at);

    const double mean =
        std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
    Scaled scaled;
    scaled.pixels.assign(static_cast<std::size_t>(size) * size, to_byte(static_cast<float>(mean)));
    const int left = (size - window.out_width) / 2, top = (size - window.out_height) / 2;
    for (int y = 0; y < window.out_height; ++y)
        std::transform(values.begin() + static_cast<std::ptrdiff_t>(y) * window.out_width,
                       values.begin() + static_cast<std::ptrdiff_t>(y + 1) * window.out_width,
                       scaled.pixels.begin() + static_cast<std::ptrdiff_t>(top + y) * size + left,
                       to_byte);
    scaled.scale = {static_cast<float>(window.height / window.out_height),
                    static_cast<float>(window.width / window.out_width)};
    return scaled;
}

std::vector<float> resample(const std::vector<std::uint8_t>& pixels, int height, int width,
                            int out_height, int out_width) {
    const Filter rows(0, height, 0, height, out_height), columns(0, width, 0, width, out_width);
    return filter_separably(rows, columns, width, [&](int y, float* out) {
        const auto* in = pixels.data() + static_cast<std::size_t>(y) * width;
        std::copy(in, in + width, out);
    });
}

}  // namespace nanoatlas::image
