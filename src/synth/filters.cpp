#include "synth/filters.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace nanoatlas::synth {
namespace {

constexpr int shrinkage = 4;
constexpr float widest_direct = 4;

std::vector<float> gaussian(float sigma) {
    const int radius = std::max(1, static_cast<int>(std::ceil(2.6F * sigma)));
    std::vector<float> taps;
    for (int i = -radius; i <= radius; ++i) {
        const float t = static_cast<float>(i) / sigma;
        taps.push_back(std::exp(-t * t / 2));
    }
    const float sum = std::accumulate(taps.begin(), taps.end(), 0.0F);
    for (float& tap : taps) tap /= sum;
    return taps;
}

// A row with its border repeated `radius` times on either side.
void pad_row(const float* row, int width, int radius, std::vector<float>& padded) {
    padded.resize(static_cast<std::size_t>(width + 2 * radius));
    std::fill_n(padded.begin(), radius, row[0]);
    std::copy_n(row, width, padded.begin() + radius);
    std::fill_n(padded.begin() + radius + width, radius, row[width - 1]);
}

Grid blur_rows(const Grid& grid, float sigma) {
    const auto taps = gaussian(sigma);
    const int radius = static_cast<int>(taps.size()) / 2;
    Grid out(grid.width(), grid.height());
    std::vector<float> padded;
    for (int y = 0; y < grid.height(); ++y) {
        pad_row(grid.row(y), grid.width(), radius, padded);
        float* to = out.row(y);
        for (std::size_t k = 0; k < taps.size(); ++k) {
            const float tap = taps[k];
            const float* from = padded.data() + k;
            for (int x = 0; x < grid.width(); ++x) to[x] += tap * from[x];
        }
    }
    return out;
}

Grid blur_columns(const Grid& grid, float sigma) {
    const auto taps = gaussian(sigma);
    const int radius = static_cast<int>(taps.size()) / 2;
    Grid out(grid.width(), grid.height());
    for (int y = 0; y < grid.height(); ++y) {
        float* to = out.row(y);
        for (std::size_t k = 0; k < taps.size(); ++k) {
            const int source = y + static_cast<int>(k) - radius;
            const float tap = taps[k];
            const float* from = grid.row(std::clamp(source, 0, grid.height() - 1));
            for (int x = 0; x < grid.width(); ++x) to[x] += tap * from[x];
        }
    }
    return out;
}

Grid shrink(const Grid& grid) {
    const int width = (grid.width() + shrinkage - 1) / shrinkage;
    const int height = (grid.height() + shrinkage - 1) / shrinkage;
    Grid small(width, height);
    for (int y = 0; y < height; ++y)
        for (int j = 0; j < shrinkage; ++j) {
            const float* from = grid.row(std::min(y * shrinkage + j, grid.height() - 1));
            float* to = small.row(y);
            for (int x = 0; x < width; ++x)
                for (int i = 0; i < shrinkage; ++i)
                    to[x] += from[std::min(x * shrinkage + i, grid.width() - 1)];
        }
    for (float& value : small.values()) value /= shrinkage * shrinkage;
    return small;
}

Grid enlarge(const Grid& small, int width, int height) {
    struct Position {
        int first, second;
        float share;
    };
    const auto position = [](int i, int cells) {
        const float at = (static_cast<float>(i) + 0.5F) / shrinkage - 0.5F;
        const int below = static_cast<int>(std::floor(at));
        return Position{std::clamp(below, 0, cells - 1), std::clamp(below + 1, 0, cells - 1),
                        at - static_cast<float>(below)};
    };
    Grid out(width, height);
    std::vector<Position> columns;
    columns.reserve(static_cast<std::size_t>(width));
    for (int x = 0; x < width; ++x) columns.push_back(position(x, small.width()));
    std::vector<float> mixed(static_cast<std::size_t>(small.width()));
    for (int y = 0; y < height; ++y) {
        const auto at = position(y, small.height());
        const float *upper = small.row(at.first), *lower = small.row(at.second);
        for (int x = 0; x < small.width(); ++x)
            mixed[static_cast<std::size_t>(x)] = upper[x] + at.share * (lower[x] - upper[x]);
        float* to = out.row(y);
        for (int x = 0; x < width; ++x) {
            const auto& c = columns[static_cast<std::size_t>(x)];
            const float left = mixed[static_cast<std::size_t>(c.first)];
            to[x] = left + c.share * (mixed[static_cast<std::size_t>(c.second)] - left);
        }
    }
    return out;
}

}  // namespace

Grid blur(const Grid& grid, float sigma_x, float sigma_y) {
    if (std::min(sigma_x, sigma_y) > widest_direct)
        return enlarge(blur(shrink(grid), sigma_x / shrinkage, sigma_y / shrinkage), grid.width(),
                       grid.height());
    return blur_columns(blur_rows(grid, sigma_x), sigma_y);
}

Range percentiles(const Grid& grid, double low, double high, int step) {
    std::vector<float> sample;
    const auto values = grid.values();
    for (std::size_t i = 0; i < values.size(); i += static_cast<std::size_t>(step))
        sample.push_back(values[i]);
    const auto value_at = [&](double share) {
        const auto at = sample.begin() +
                        static_cast<std::ptrdiff_t>(share * static_cast<double>(sample.size() - 1));
        std::nth_element(sample.begin(), at, sample.end());
        return *at;
    };
    const float lower = value_at(low);
    return {lower, value_at(high)};
}

float mean(const Grid& grid) {
    double sum = 0;
    for (int y = 0; y < grid.height(); ++y) {
        float row_sum = 0;
        for (int x = 0; x < grid.width(); ++x) row_sum += grid.row(y)[x];
        sum += row_sum;
    }
    return static_cast<float>(sum / static_cast<double>(grid.values().size()));
}

}  // namespace nanoatlas::synth
