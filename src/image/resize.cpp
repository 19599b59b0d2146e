#include "image/resize.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace nanoatlas::image {
namespace {

/// For each output position the input positions it draws on: one dimension of a separable filter.
class Filter {
  public:
    /// Maps [begin, begin + length) of an input of `limit` samples to `count` outputs.
    Filter(double begin, double length, int limit, int count) {
        const double step = length / count;
        for (int i = 0; i < count; ++i) {
            if (step >= 1)
                add_area(begin + i * step, begin + (i + 1) * step, limit);
            else
                add_linear(begin + (i + 0.5) * step - 0.5, limit);
        }
    }
    struct Taps {
        int first = 0;
        std::vector<float> weights;
    };
    const std::vector<Taps>& taps() const { return taps_; }

  private:
    void add_area(double from, double to, int limit) {
        Taps taps{.first = std::clamp(static_cast<int>(std::floor(from)), 0, limit - 1),
                  .weights = {}};
        for (int x = taps.first; x < limit && x < to; ++x) {
            const double covered = std::min(to, x + 1.0) - std::max(from, double(x));
            if (covered > 1e-9 || taps.weights.empty())
                taps.weights.push_back(static_cast<float>(std::max(covered, 1e-9)));
        }
        normalise(taps.weights);
        taps_.push_back(std::move(taps));
    }
    void add_linear(double centre, int limit) {
        const double at = std::clamp(centre, 0.0, limit - 1.0);
        const int left = std::min(static_cast<int>(at), std::max(0, limit - 2));
        const auto share = static_cast<float>(at - left);
        taps_.push_back({.first = left, .weights = {1 - share, share}});
        if (limit == 1) taps_.back().weights = {1};
    }
    static void normalise(std::vector<float>& weights) {
        const float sum = std::accumulate(weights.begin(), weights.end(), 0.0F);
        for (auto& weight : weights) weight /= sum;
    }

    std::vector<Taps> taps_;
};

/// row_at(y, out) fills a row of `width` floats; rows are asked for in ascending order, each once.
template <class RowAt>
std::vector<float> filter_separably(const Filter& rows, const Filter& columns, int first_row,
                                    int end_row, int width, const RowAt& row_at) {
    const std::size_t out_width = columns.taps().size();
    std::vector<float> out(rows.taps().size() * out_width);
    std::vector<float> row(static_cast<std::size_t>(width)), narrow(out_width);
    std::size_t begin = 0;  // the first output row that may still need this input row
    for (int y = first_row; y < end_row; ++y) {
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
    const Filter rows(window.top, window.height, end, window.out_height);
    const Filter columns(window.left, window.width, image.width, window.out_width);
    const auto low = static_cast<float>(tone.low);
    const auto gain = static_cast<float>(255 / (tone.high - tone.low));
    const auto row_at = [&](int y, float* out) {
        const auto* in = image.row(y);
        for (int x = 0; x < image.width; ++x)
            out[x] = std::clamp((static_cast<float>(in[x]) - low) * gain, 0.0F, 255.0F);
    };
    const int first_row = static_cast<int>(window.top);
    const int end_row = std::min(end, static_cast<int>(std::ceil(window.top + window.height)));
    const auto values = filter_separably(rows, columns, first_row, end_row, image.width, row_at);

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
    const Filter rows(0, height, height, out_height), columns(0, width, width, out_width);
    return filter_separably(rows, columns, 0, height, width, [&](int y, float* out) {
        const auto* in = pixels.data() + static_cast<std::size_t>(y) * width;
        std::copy(in, in + width, out);
    });
}

}  // namespace nanoatlas::image
