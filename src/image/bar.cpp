#include "image/bar.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "image/codecs.hpp"

namespace nanoatlas::image {
namespace {

// Shares of a row or of the height; found by looking at bars of Zeiss, FEI, Hitachi and SEC.
constexpr double background_in_row =
    0.35;  ///< least share of background in a bar's row, text and all
constexpr double rows_with_background = 0.85;    ///< of the bar's rows; frames' lines are the rest
constexpr double background_in_bar = 0.50;       ///< on average
constexpr double background_beside = 0.65;       ///< at most, in the picture's rows beside the bar
constexpr double step_at_edge = 0.30;            ///< by which that share falls there
constexpr int rows_inside = 4, rows_beside = 8;  ///< that are compared at the edge
constexpr double least_ink = 0.002, most_ink = 0.40;
constexpr double least_height = 0.015, most_height = 0.25;
constexpr int tolerance = 10;     ///< of 255, around the background: JPEG's ripples
constexpr int ink_contrast = 60;  ///< of 255

/// The smallest sample and the range of all, at least 1.
std::pair<int, int> extremes(const GreyImage& image) {
    const auto [low, high] = std::minmax_element(image.samples.begin(), image.samples.end());
    return {*low, std::max(1, *high - *low)};
}

/// The image as 8 bits between its own extremes, rows counted from the edge where a bar may lie.
class EdgeView {
  public:
    EdgeView(const GreyImage& image, bool from_bottom, int rows)
        : width_(static_cast<std::size_t>(image.width)),
          rows_(rows),
          values_(static_cast<std::size_t>(rows) * width_) {
        const auto [low, range] = image.bits == 8 ? std::pair(0, 255) : extremes(image);
        for (int r = 0; r < rows; ++r) {
            const auto* in = image.row(from_bottom ? image.height - 1 - r : r);
            auto* out = values_.data() + static_cast<std::size_t>(r) * width_;
            for (std::size_t x = 0; x < width_; ++x)
                out[x] = static_cast<std::uint8_t>((in[x] - low) * 255 / range);
        }
    }
    int rows() const { return rows_; }
    std::span<const std::uint8_t> row(int r) const {
        return std::span(values_).subspan(static_cast<std::size_t>(r) * width_, width_);
    }

  private:
    std::size_t width_;
    int rows_;
    std::vector<std::uint8_t> values_;
};

int most_frequent(const EdgeView& view, int first, int count) {
    std::array<std::int64_t, 256> histogram{};
    for (int r = first; r < first + count; ++r)
        for (const auto value : view.row(r)) ++histogram[value];
    return static_cast<int>(std::max_element(histogram.begin(), histogram.end()) -
                            histogram.begin());
}

double share_near(std::span<const std::uint8_t> row, int value, int width) {
    const auto near = std::count_if(
        row.begin(), row.end(), [&](std::uint8_t v) { return std::abs(int{v} - value) <= width; });
    return static_cast<double>(near) / static_cast<double>(row.size());
}

double mean_distance(std::span<const std::uint8_t> row, int value) {
    double sum = 0;
    for (const auto v : row) sum += std::abs(int{v} - value);
    return sum / static_cast<double>(row.size());
}

double mean(const std::vector<double>& values, int first, int count) {
    double sum = 0;
    for (int i = first; i < first + count; ++i) sum += values[static_cast<std::size_t>(i)];
    return sum / count;
}

/// A bar that begins at the view's edge.
class BarAtEdge {
  public:
    BarAtEdge(const EdgeView& view, int height) : view_(view), height_(height) {
        background_ = most_frequent(view, 0, std::clamp(height * 3 / 100, 4, view.rows()));
        for (int r = 0; r < view.rows(); ++r)
            share_.push_back(share_near(view.row(r), background_, tolerance));
    }

    /// Its height in rows; 0: there is none.
    int find() const {
        const int least = std::max({rows_inside, 6, static_cast<int>(least_height * height_)});
        const int most = std::min(static_cast<int>(most_height * height_),
                                  view_.rows() - rows_beside - edge_rows);
        int best = 0;
        double best_step = step_at_edge;
        for (int end = least; end <= most; ++end)
            if (is_bar(end) && step_at(end) > best_step) {
                best = end;
                best_step = step_at(end);
            }
        return best > 0 && has_ink(best) ? past_border(best) : 0;
    }

  private:
    /// Rows at the edge that may be a line of the frame, or bar and picture mixed.
    static constexpr int edge_rows = 2;

    bool is_bar(int end) const {
        const auto rows_with =
            std::count_if(share_.begin(), share_.begin() + end,
                          [](double share) { return share >= background_in_row; });
        return static_cast<double>(rows_with) >= rows_with_background * end &&
               mean(share_, 0, end) >= background_in_bar;
    }
    double step_at(int end) const {
        const double beside = mean(share_, end + edge_rows, rows_beside);
        if (beside > background_beside) return 0;
        return mean(share_, end - rows_inside, rows_inside) - beside;
    }
    bool has_ink(int end) const {
        double ink = 0;
        for (int r = 0; r < end; ++r)
            ink += 1 - share_near(view_.row(r), background_, ink_contrast);
        return ink / end >= least_ink && ink / end <= most_ink;
    }
    /// The bar's last rows, which the step leaves open, the frame's line above it, and the row in
    /// which scaling mixed bar and picture.
    int past_border(int end) const {
        const double beside = mean(share_, end + edge_rows, rows_beside);
        const double halfway = beside + step_at(end) / 2;
        for (int i = 0; i < edge_rows && share_[static_cast<std::size_t>(end)] >= halfway; ++i)
            ++end;
        end += frame_lines(end);
        if (end + 1 >= view_.rows()) return end;
        const bool mixed = mean_distance(view_.row(end), background_) <
                           0.75 * mean_distance(view_.row(end + 1), background_);
        return mixed ? end + 1 : end;
    }
    /// Rows from `end` on that are all one colour of ink; none if they don't end soon, as a smooth
    /// picture's don't.
    int frame_lines(int end) const {
        const int most = std::max(2, height_ / 150);
        for (int lines = 0; lines <= most && end + lines < view_.rows(); ++lines) {
            const auto row = view_.row(end + lines);
            const int colour = most_frequent(view_, end + lines, 1);
            const bool is_line = std::abs(colour - background_) > ink_contrast &&
                                 share_near(row, colour, tolerance) >= 0.8;
            if (!is_line) return lines;
        }
        return 0;
    }

    const EdgeView& view_;
    int height_;
    int background_ = 0;
    std::vector<double> share_;  ///< of pixels near the background, by row
};

int bar_at(const GreyImage& image, bool at_bottom) {
    const int rows = std::min(image.height, static_cast<int>(image.height * most_height) + 16);
    const EdgeView view(image, at_bottom, rows);
    return BarAtEdge(view, image.height).find();
}

/// The number behind "name=" at the beginning of a line.
std::optional<int> number_in(const std::string& text, const std::string& name) {
    const auto at = text.find("\n" + name + "=");
    if (at == std::string::npos) return {};
    const char* first = text.data() + at + name.size() + 2;
    int value = 0;
    const auto result = std::from_chars(first, text.data() + text.size(), value);
    return result.ec == std::errc{} ? std::optional(value) : std::nullopt;
}

}  // namespace

int bar_rows_in_header(const Decoded& decoded) {
    for (const auto& header : decoded.headers) {
        const auto rows = number_in(header.text, "DatabarHeight");
        if (!rows || *rows <= 0 || *rows > decoded.image.height / 2) continue;
        const auto scanned = number_in(header.text, "ResolutionY");
        if (!scanned || *scanned + *rows == decoded.image.height) return *rows;
    }
    return 0;
}

Bar find_bar_in_image(const GreyImage& image) {
    constexpr int least_side = 64;
    if (image.height < least_side || image.width < least_side) return {};
    if (const int rows = bar_at(image, true); rows > 0) return {.bottom = rows, .origin = "image"};
    if (const int rows = bar_at(image, false); rows > 0) return {.top = rows, .origin = "image"};
    return {};
}

Bar find_bar(const Decoded& decoded, const PrepareOptions& options) {
    if (options.bar == BarRule::keep || decoded.format == "IDX") return {};
    if (options.bar == BarRule::rows) {
        if (decoded.image.height - options.bar_rows < min_side)
            throw Unusable(fmt::format("has {} rows, and --bar cuts off {}", decoded.image.height,
                                       options.bar_rows));
        return {.bottom = options.bar_rows, .origin = "option"};
    }
    if (const int rows = bar_rows_in_header(decoded); rows > 0)
        return {.bottom = rows, .origin = "header"};
    return find_bar_in_image(decoded.image);
}

}  // namespace nanoatlas::image
