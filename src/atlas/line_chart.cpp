#include "atlas/line_chart.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "atlas/charts.hpp"
#include "atlas/svg.hpp"
#include "atlas/text.hpp"

namespace nanoatlas::atlas {
namespace {

/// One direction of a chart: values to places.
class Axis {
  public:
    Axis(double from, double to, bool is_log) : from_(from), to_(to), is_log_(is_log) {}

    void include(double value) {
        if (!shows(value)) return;
        low_ = std::min(low_, scaled(value));
        high_ = std::max(high_, scaled(value));
    }
    /// After the last value: some room, and a width where all values are one.
    void close(double room) {
        if (low_ > high_) {
            low_ = 0;
            high_ = 1;
        }
        const double width = high_ - low_, least = is_log_ ? 0.1 : 1e-3 * std::abs(high_) + 1e-9;
        const double extra = width > least ? room * width : least;
        low_ -= extra;
        high_ += extra;
    }
    bool shows(double value) const { return std::isfinite(value) && (!is_log_ || value > 0); }
    double place(double value) const {
        return from_ + (to_ - from_) * (scaled(value) - low_) / (high_ - low_);
    }
    std::vector<double> ticks(int most) const {
        if (!is_log_) return round_ticks(low_, high_, most);
        std::vector<double> ticks;
        // Powers of ten, and between them 2 and 5 where there are few.
        const bool is_short = high_ - low_ < 2.5;
        const int every = 1 + static_cast<int>((high_ - low_) / most);
        for (int power = static_cast<int>(std::floor(low_)); power <= high_; power += every)
            for (const double factor : {1.0, 2.0, 5.0}) {
                const double value = factor * std::pow(10.0, power);
                const bool is_inside = scaled(value) >= low_ && scaled(value) <= high_;
                if (is_inside && (factor == 1 || is_short)) ticks.push_back(value);
            }
        return ticks;
    }

  private:
    double scaled(double value) const { return is_log_ ? std::log10(value) : value; }

    double from_, to_;
    bool is_log_;
    double low_ = std::numeric_limits<double>::infinity(), high_ = -low_;
};

class Drawing {
  public:
    explicit Drawing(const LineChart& chart)
        : chart_(chart), x_(left, right, chart.is_log_x), y_(bottom, top, chart.is_log_y) {
        for (const auto& series : chart.series)
            for (std::size_t i = 0; i < series.points.size(); ++i) {
                const auto [x, y] = series.points[i];
                const double spread = spread_of(series, i);
                x_.include(x);
                for (const double end : {y - spread, y, y + spread}) y_.include(end);
            }
        x_.close(0);
        y_.close(0.05);
    }

    std::string draw() const {
        std::string inside = axes() + mark();
        for (std::size_t i = chart_.series.size(); i-- > 0;) inside += curve(i);
        return svg(width, height, chart_.title, inside + key());
    }

  private:
    static constexpr double width = 560, height = 300, left = 58, right = 545, top = 34,
                            bottom = 252;

    std::string axes() const {
        std::string inside;
        for (const double tick : y_.ticks(6)) {
            inside += svg_line(left, y_.place(tick), right, y_.place(tick), "grid");
            inside += svg_text(left - 8, y_.place(tick) + 4, "end",
                               fmt::format("{:g}{}", tick, chart_.unit));
        }
        for (const double tick : x_.ticks(8)) {
            inside += svg_line(x_.place(tick), bottom, x_.place(tick), bottom + 5, "axis");
            inside += svg_text(x_.place(tick), bottom + 20, "middle", fmt::format("{:g}", tick));
        }
        inside += svg_line(left, bottom, right, bottom, "axis");
        if (!chart_.y_name.empty())
            inside += fmt::format(
                R"-(<text transform="translate(14 {:.0f}) rotate(-90)" text-anchor="middle">{}</text>)-",
                (top + bottom) / 2, escape_html(chart_.y_name));
        return inside + svg_text((left + right) / 2, height - 8, "middle", chart_.x_name);
    }

    std::string mark() const {
        if (!chart_.marked_x || !x_.shows(*chart_.marked_x)) return "";
        const double x = x_.place(*chart_.marked_x);
        const bool is_right = x > (left + right) / 2;
        return svg_line(x, top, x, bottom, "ideal") +
               svg_text(x + (is_right ? -5 : 5), top + 10, is_right ? "end" : "start", chart_.mark);
    }

    /// 0 where it is not known.
    static double spread_of(const LineSeries& series, std::size_t i) {
        return i < series.spread.size() && std::isfinite(series.spread[i]) ? series.spread[i] : 0;
    }

    bool shows_any(const LineSeries& series) const {
        return std::ranges::any_of(series.points, [&](const auto& point) {
            return x_.shows(point.first) && y_.shows(point.second);
        });
    }

    const char* style(std::size_t i) const {
        return chart_.series[i].is_faint ? "curve faint"
               : i == 0                  ? "curve first"
               : i == 1                  ? "curve second"
                                         : "curve third";
    }

    static std::string symbol(std::size_t i, double x, double y, const std::string& says) {
        const auto title = "<title>" + escape_html(says) + "</title>";
        if (i == 0)
            return fmt::format(
                R"(<circle class="first" cx="{:.1f}" cy="{:.1f}" r="3.2">{}</circle>)", x, y,
                title);
        if (i == 1)
            return fmt::format(
                R"(<rect class="second" x="{:.1f}" y="{:.1f}" width="6" height="6">{}</rect>)",
                x - 3, y - 3, title);
        return fmt::format(R"(<polygon class="third" points="{:.1f},{:.1f} {:.1f},{:.1f} )"
                           R"({:.1f},{:.1f}">{}</polygon>)",
                           x - 4, y + 3, x + 4, y + 3, x, y - 4.5, title);
    }

    /// From y - spread to y + spread, with a short line across either end.
    std::string bar(std::size_t i, double x, double y, double spread) const {
        if (!y_.shows(y - spread) || !y_.shows(y + spread)) return "";
        const double at = x_.place(x), low = y_.place(y - spread), high = y_.place(y + spread);
        return fmt::format(R"(<path class="{} bars" d="M{:.1f} {:.1f}H{:.1f}M{:.1f} {:.1f}V{:.1f})"
                           R"(M{:.1f} {:.1f}H{:.1f}"/>)",
                           style(i), at - 3, low, at + 3, at, low, high, at - 3, high, at + 3);
    }

    std::string curve(std::size_t i) const {
        constexpr std::size_t most_marks = 60;  // more run into one another
        const auto& series = chart_.series[i];
        std::string path, bars, marks;
        for (std::size_t p = 0; p < series.points.size(); ++p) {
            const auto [x, y] = series.points[p];
            if (!x_.shows(x) || !y_.shows(y)) continue;
            path +=
                fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", x_.place(x), y_.place(y));
            if (series.is_faint || series.points.size() > most_marks) continue;
            const double spread = spread_of(series, p);
            if (spread > 0) bars += bar(i, x, y, spread);
            const auto give =
                spread > 0 ? fmt::format(" ± {}", number_text(spread)) : std::string();
            marks += symbol(i, x_.place(x), y_.place(y),
                            fmt::format("{} {:g}: {} {}{}{}", chart_.x_name, x, series.name,
                                        number_text(y), give, chart_.unit));
        }
        return fmt::format(R"(<path class="{}" d="{}"/>)", style(i), path) + bars + marks;
    }

    std::string key() const {
        std::string inside;
        double x = left;
        for (std::size_t i = 0; i < chart_.series.size(); ++i) {
            const auto& series = chart_.series[i];
            if (series.name.empty() || !shows_any(series)) continue;
            inside += svg_line(x, 14, x + 26, 14, style(i));
            if (!series.is_faint) inside += symbol(i, x + 13, 14, series.name);
            inside += svg_text(x + 33, 18, "start", series.name);
            x += 60 + 6.6 * static_cast<double>(series.name.size());
        }
        return inside;
    }

    const LineChart& chart_;
    Axis x_, y_;
};

}  // namespace

std::string line_chart(const LineChart& chart) {
    return Drawing(chart).draw();
}

}  // namespace nanoatlas::atlas
