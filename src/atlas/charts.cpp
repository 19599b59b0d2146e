#include "atlas/charts.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "atlas/svg.hpp"
#include "atlas/text.hpp"

namespace nanoatlas::atlas {
namespace {

std::int64_t highest(const LogHistogram& histogram) {
    return histogram.counts.empty()
               ? 0
               : *std::max_element(histogram.counts.begin(), histogram.counts.end());
}

/// Draws the tree of an atlas; x is log density, y counts clusters.
class DendrogramDrawing {
  public:
    DendrogramDrawing(const Atlas& atlas, const std::string& root)
        : atlas_(atlas), root_(root), tree_(atlas.tree) {
        const auto& peak = atlas.topography.peak;
        high_ = *std::max_element(peak.begin(), peak.end());
        low_ = *std::min_element(peak.begin(), peak.end());
        for (const auto& merge : tree_.merges) low_ = std::min(low_, merge.height);
        const double margin = std::max(0.05 * (high_ - low_), 0.1);
        low_ -= margin;
        places_.resize(peak.size() + tree_.merges.size());
    }

    std::string draw() {
        std::string inside = axis();
        for (std::size_t i = 0; i < tree_.order.size(); ++i) leaf(tree_.order[i], i);
        for (std::size_t m = 0; m < tree_.merges.size(); ++m) inside += join(m);
        for (const int root : tree_.roots) {
            const auto& place = at(root);
            inside += svg_line(left, place.y, place.x, place.y,
                               tree_.roots.size() > 1 ? "loose" : "branch");
        }
        if (tree_.roots.size() > 1) inside += svg_line(left, top, left, bottom(), "loose");
        for (const int cluster : tree_.order) inside += tip(cluster);
        return svg(width, bottom() + 30, "Tree of the clusters by the density of their saddles",
                   inside);
    }

  private:
    static constexpr double width = 900, left = 10, right = 690, top = 10, step = 22;
    struct Place {
        double x = 0, y = 0;
    };

    const Place& at(int node) const { return places_[static_cast<std::size_t>(node)]; }
    double bottom() const { return top + step * static_cast<double>(tree_.order.size()); }
    double x_of(double density) const {
        return left + (right - left) * (density - low_) / (high_ - low_);
    }

    std::string axis() const {
        std::string inside;
        for (const double tick : round_ticks(low_, high_, 8)) {
            inside += svg_line(x_of(tick), top, x_of(tick), bottom(), "grid");
            inside += svg_text(x_of(tick), bottom() + 16, "middle", fmt::format("{:g}", tick));
        }
        return inside + svg_text(right + 20, bottom() + 16, "start", "log density");
    }

    void leaf(int cluster, std::size_t line_number) {
        places_[static_cast<std::size_t>(cluster)] = {
            x_of(atlas_.topography.peak[static_cast<std::size_t>(cluster)]),
            top + step * (static_cast<double>(line_number) + 0.5)};
    }

    std::string join(std::size_t m) {
        const auto& merge = tree_.merges[m];
        const double x = x_of(merge.height);
        const Place a = at(merge.a), b = at(merge.b);
        places_[atlas_.topography.peak.size() + m] = {x, (a.y + b.y) / 2};
        return svg_line(x, a.y, a.x, a.y, "branch") + svg_line(x, b.y, b.x, b.y, "branch") +
               svg_line(x, a.y, x, b.y, "branch");
    }

    std::string tip(int cluster) const {
        const auto& place = at(cluster);
        const auto size = atlas_.members[static_cast<std::size_t>(cluster)].rows.size();
        return fmt::format(
            R"(<a href="{}clusters/{}.html"><circle cx="{:.1f}" cy="{:.1f}" r="5" fill="{}"/>)"
            R"(<text x="{:.1f}" y="{:.1f}" data-cluster="{}">{}</text>)"
            R"(<text class="count" x="890" y="{:.1f}" text-anchor="end">{}</text></a>)",
            root_, cluster, place.x, place.y,
            atlas_.cluster_colours[static_cast<std::size_t>(cluster)], place.x + 11, place.y + 4,
            cluster, cluster_name(cluster), place.y + 4,
            count_text(static_cast<std::int64_t>(size)));
    }

    const Atlas& atlas_;
    const std::string& root_;
    const Dendrogram& tree_;
    double low_ = 0, high_ = 0;
    std::vector<Place> places_;
};

}  // namespace

std::vector<double> round_ticks(double low, double high, int most) {
    if (!(high > low)) return {};
    const double rough = (high - low) / most, power = std::pow(10.0, std::floor(std::log10(rough)));
    double step = 10 * power;
    for (const double factor : {5.0, 2.0, 1.0})
        if (factor * power >= rough) step = factor * power;
    std::vector<double> ticks;
    for (auto i = static_cast<std::int64_t>(std::ceil(low / step));
         static_cast<double>(i) * step <= high; ++i)
        ticks.push_back(static_cast<double>(i) * step);
    return ticks;
}

std::string histogram_chart(const LogHistogram& part, const LogHistogram& whole,
                            const std::string& title) {
    constexpr double width = 560, height = 190, left = 10, top = 10, base = 160;
    const int bins = part.bins.count();
    if (bins == 0) return R"(<p class="quiet">No pixel sizes are known.</p>)";
    const double step = (width - 2 * left) / bins;
    const auto bar = [&](const LogHistogram& histogram, int bin, const char* style) {
        const auto count = histogram.counts[static_cast<std::size_t>(bin)];
        const double h = (base - top) * static_cast<double>(count) /
                         static_cast<double>(std::max<std::int64_t>(highest(histogram), 1));
        return fmt::format(
            R"(<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}">)"
            "<title>{} to {}: {}</title></rect>",
            style, left + bin * step + 1, base - h, std::max(step - 2, 1.0), h,
            si_text(part.bins.lower_edge(bin), "m"), si_text(part.bins.lower_edge(bin + 1), "m"),
            count_text(count));
    };
    std::string inside;
    for (int bin = 0; bin < bins && !whole.counts.empty(); ++bin)
        inside += bar(whole, bin, "whole");
    for (int bin = 0; bin < bins; ++bin) inside += bar(part, bin, "bar");
    inside += svg_line(left, base, width - left, base, "axis");
    const int every = 1 + part.bins.decades / 7;  // so that the captions keep apart
    for (int decade = 0; decade <= part.bins.decades; decade += every) {
        const double x = left + decade * part.bins.per_decade * step;
        inside += svg_line(x, base, x, base + 5, "axis");
        inside += svg_text(x, base + 20,
                           decade == 0                   ? "start"
                           : decade == part.bins.decades ? "end"
                                                         : "middle",
                           si_text(part.bins.lower_edge(decade * part.bins.per_decade), "m"));
    }
    return svg(width, height, title, inside);
}

std::string dendrogram_chart(const Atlas& atlas, const std::string& root) {
    return DendrogramDrawing(atlas, root).draw();
}

std::vector<ReliabilityBin> reliability(std::span<const float> confidence,
                                        std::span<const char> right, int bins) {
    std::vector<ReliabilityBin> all(static_cast<std::size_t>(bins));
    for (std::size_t i = 0; i < confidence.size(); ++i) {
        const auto value = static_cast<double>(confidence[i]);
        auto& bin = all[static_cast<std::size_t>(
            std::clamp(static_cast<int>(std::ceil(value * bins)) - 1, 0, bins - 1))];
        ++bin.count;
        bin.right += right[i] != 0 ? 1 : 0;
        bin.confidence += value;
    }
    return all;
}

std::string reliability_chart(const std::vector<ReliabilityBin>& bins) {
    constexpr double side = 300, left = 40, top = 10, base = top + side;
    const double step = side / static_cast<double>(bins.size());
    std::string inside;
    for (int tick = 0; tick <= 4; ++tick) {
        const double at = side * tick / 4;
        inside += svg_line(left, base - at, left + side, base - at, "grid");
        inside += svg_text(left - 6, base - at + 4, "end", fmt::format("{}", 25 * tick));
        inside += svg_text(left + at, base + 18, "middle", fmt::format("{}", 25 * tick));
    }
    for (std::size_t i = 0; i < bins.size(); ++i) {
        if (bins[i].count == 0) continue;
        const double share =
            static_cast<double>(bins[i].right) / static_cast<double>(bins[i].count);
        inside += fmt::format(
            R"(<rect class="bar" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>)"
            "{} predictions, mean confidence {:.1f} %, right {:.1f} %</title></rect>",
            left + static_cast<double>(i) * step + 1, base - side * share, step - 2, side * share,
            count_text(bins[i].count),
            100 * bins[i].confidence / static_cast<double>(bins[i].count), 100 * share);
    }
    inside += svg_line(left, base, left + side, top, "ideal");
    inside += svg_text(left + side / 2, base + 36, "middle", "confidence [%]");
    inside += fmt::format(
        R"-(<text transform="translate(10 {:.0f}) rotate(-90)" text-anchor="middle">right [%]</text>)-",
        top + side / 2);
    return svg(left + side + 20, base + 44, "Share of right predictions over their confidence",
               inside);
}

std::string coverage_chart(const std::vector<CoveragePoint>& curve, double threshold) {
    constexpr double width = 480, height = 260, left = 46, top = 14, base = top + height;
    double low = 0.9;  // so that a curve near 1 is not all noise
    for (const auto& point : curve) low = std::min(low, point.precision);
    low = std::floor(10 * low) / 10;
    const auto x = [&](double coverage) { return left + width * coverage; };
    const auto y = [&](double precision) { return base - height * (precision - low) / (1 - low); };
    std::string inside;
    for (int tick = 0; tick <= 4; ++tick) {
        inside += svg_line(x(tick / 4.0), top, x(tick / 4.0), base, "grid");
        inside += svg_text(x(tick / 4.0), base + 18, "middle", fmt::format("{}", 25 * tick));
    }
    for (const double tick : round_ticks(100 * low, 100, 5)) {
        inside += svg_line(left, y(tick / 100), left + width, y(tick / 100), "grid");
        inside += svg_text(left - 6, y(tick / 100) + 4, "end", fmt::format("{:g}", tick));
    }
    std::string path;
    const CoveragePoint* used = nullptr;
    for (const auto& point : curve) {
        path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : " L", x(point.coverage),
                            y(point.precision));
        if (threshold >= 0 && point.threshold >= threshold) used = &point;
    }
    inside += fmt::format(R"(<path class="curve" d="{}"/>)", path);
    if (used != nullptr)
        inside += fmt::format(
            R"(<circle class="bar" cx="{:.1f}" cy="{:.1f}" r="5"><title>threshold {:.4f}: )"
            "{:.1f} % of the images get an answer, {:.1f} % of these are right</title></circle>",
            x(used->coverage), y(used->precision), threshold, 100 * used->coverage,
            100 * used->precision);
    inside += svg_text(left + width / 2, base + 36, "middle", "images with an answer [%]");
    inside += fmt::format(
        R"-(<text transform="translate(10 {:.0f}) rotate(-90)" text-anchor="middle">right [%]</text>)-",
        top + height / 2);
    return svg(left + width + 20, base + 44, "Share of right answers over the share of answers",
               inside);
}

}  // namespace nanoatlas::atlas
