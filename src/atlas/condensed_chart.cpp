#include "atlas/condensed_chart.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "atlas/charts.hpp"
#include "atlas/model.hpp"
#include "atlas/page_parts.hpp"
#include "atlas/svg.hpp"
#include "atlas/text.hpp"

namespace nanoatlas::atlas {
namespace {

std::size_t at(std::int64_t place) {
    return static_cast<std::size_t>(place);
}

/// Places for labels in a row, none nearer to the next than `apart`, each as near to where it wants
/// to be as that allows. wanted: ascending; in [low, high]
std::vector<double> spread_out(const std::vector<double>& wanted, double apart, double low,
                               double high) {
    // Runs of labels that touch stand around the mean of where they want to be.
    struct Run {
        double sum = 0;  // of wanted places, each less its offset in the run
        double count = 0;
        double first(double least, double most) const {
            return std::clamp(sum / count, least, most);
        }
    };
    std::vector<Run> runs;
    const auto first_of = [&](const Run& run) {
        return run.first(low, std::max(low, high - apart * (run.count - 1)));
    };
    for (const double place : wanted) {
        runs.push_back({place, 1});
        while (runs.size() > 1) {
            const auto& before = runs[runs.size() - 2];
            const auto& last = runs.back();
            if (first_of(before) + apart * before.count <= first_of(last)) break;
            const Run both{before.sum + last.sum - last.count * apart * before.count,
                           before.count + last.count};
            runs.pop_back();
            runs.back() = both;
        }
    }
    std::vector<double> places;
    for (const auto& run : runs)
        for (double i = 0; i < run.count; ++i) places.push_back(first_of(run) + apart * i);
    return places;
}

class Drawing {
  public:
    Drawing(const Atlas& atlas, const std::string& root)
        : atlas_(atlas),
          root_(root),
          bars_(tree_bars(atlas.inputs.clusters.condensed,
                          std::span(atlas.inputs.clusters.selected).first(at(atlas.clusters())))) {
        choose_axis();
    }

    std::string draw() const {
        std::string inside = axis(), outlined;
        for (const auto& bar : bars_) {
            if (bar.parent >= 0 && is_seen(bar)) inside += fork(bar);
            const bool is_chosen = bar.chosen >= 0 && is_top(bar);
            if (is_seen(bar) || is_chosen) (is_chosen ? outlined : inside) += shape(bar, is_chosen);
        }
        return svg(width, bottom + 58, "Condensed tree: rows of the clusters over density",
                   labels_of_chosen(inside + outlined) + scale());
    }

  private:
    static constexpr double width = 900, left = 62, right = 885, top = 34, bottom = 420,
                            thinnest = 1.2;

    /// Not within another chosen one.
    bool is_top(const TreeBar& bar) const {
        return bar.parent < 0 || bars_[at(bar.parent)].chosen != bar.chosen;
    }

    void choose_axis() {
        double shortest = 0;  // of the chosen: where the first of them ends
        double first_fork = 0;
        bool any_infinite = false;
        for (const auto& bar : bars_) {
            double death = 0;
            for (const auto& [lambda, rows] : bar.left_at) {
                if (std::isfinite(lambda)) death = std::max(death, lambda);
                any_infinite |= !std::isfinite(lambda);
            }
            high_ = std::max(high_, death);
            if (bar.chosen >= 0 && is_top(bar) && death > 0)
                shortest = shortest == 0 ? death : std::min(shortest, death);
            if (bar.birth > 0 && std::isfinite(bar.birth))
                first_fork = first_fork == 0 ? bar.birth : std::min(first_fork, bar.birth);
        }
        if (high_ == 0) high_ = 1;
        constexpr double much = 12;
        is_log_ = shortest > 0 && high_ > much * shortest;
        if (is_log_) low_ = (first_fork > 0 ? std::min(first_fork, shortest) : shortest) / 1.6;
        has_infinity_ = any_infinite;
    }

    double y_of(double lambda) const {
        const double end = bottom - (has_infinity_ ? 22 : 0);
        if (std::isinf(lambda)) return bottom;
        if (!is_log_) return top + (end - top) * lambda / high_;
        if (lambda <= low_) return top;
        return top + (end - top) * std::log(lambda / low_) / std::log(high_ / low_);
    }
    double x_of(double share) const { return left + (right - left) * share; }
    double width_of(std::int64_t rows) const {
        return (right - left) * static_cast<double>(rows) /
               static_cast<double>(atlas_.inputs.clusters.condensed.rows);
    }
    double centre(const TreeBar& bar) const { return x_of((bar.left + bar.right) / 2); }
    bool is_seen(const TreeBar& bar) const { return width_of(bar.rows) >= 0.7; }

    std::string axis() const {
        std::string inside;
        for (const double tick : ticks()) {
            inside += svg_line(left, y_of(tick), right, y_of(tick), "grid");
            inside += svg_text(left - 8, y_of(tick) + 4, "end", fmt::format("{:g}", tick));
        }
        if (has_infinity_) {
            inside += svg_line(left, bottom, right, bottom, "loose");
            inside += svg_text(left - 8, bottom + 4, "end", "∞");
        }
        return inside + svg_text(8, 16, "start", "density λ = 1 / distance");
    }

    std::vector<double> ticks() const {
        if (!is_log_) return round_ticks(0, high_, 8);
        std::vector<double> ticks;
        const bool is_short = high_ < 200 * low_;
        for (int power = static_cast<int>(std::floor(std::log10(low_)));
             std::pow(10.0, power) <= high_; ++power)
            for (const double factor : {1.0, 2.0, 5.0}) {
                const double tick = factor * std::pow(10.0, power);
                if (tick > low_ && tick <= high_ && (factor == 1 || is_short))
                    ticks.push_back(tick);
            }
        return ticks;
    }

    /// From the end of the parent to a part that hangs beside it.
    std::string fork(const TreeBar& bar) const {
        const auto& parent = bars_[at(bar.parent)];
        const double y = y_of(bar.birth), apart = centre(bar) - centre(parent);
        const double side = apart < 0 ? -1 : 1;
        const double from = centre(parent) + side * width_of(parent.left_at.back().second) / 2;
        const double to = centre(bar) - side * width_of(bar.rows) / 2;
        return side * (to - from) > 0 ? svg_line(from, y, to, y, "branch") : "";
    }

    /// A bar is `half` to either side of its centre down to y.
    struct Step {
        double y, half;
    };

    /// Steps that nobody would see are left out.
    std::vector<Step> steps_of(const TreeBar& bar) const {
        const auto half = [&](std::int64_t rows) { return std::max(width_of(rows), thinnest) / 2; };
        std::vector<Step> steps;
        double now = half(bar.rows), begin = y_of(bar.birth), end = begin;
        for (const auto& [lambda, rows] : bar.left_at) {
            const double y = y_of(lambda), below = half(rows);
            end = std::max(end, y);
            if (now - below < 0.25) continue;
            if (y - begin > 0.4) {
                steps.push_back({y, now});
                begin = y;
            }
            now = below;
        }
        constexpr double shortest = 3;  // of a bar that has no parts below it
        if (steps.empty()) {
            const bool has_parts = bar.left_at.back().second > 0;
            steps.push_back({has_parts ? end : std::max(end, begin + shortest), half(bar.rows)});
        } else if (steps.back().y < end) {
            steps.push_back({end, now});
        }
        return steps;
    }

    std::string shape(const TreeBar& bar, bool is_chosen) const {
        const auto steps = steps_of(bar);
        const double x = centre(bar);
        auto path = fmt::format("M{:.1f} {:.1f}", x, y_of(bar.birth));
        for (const auto& step : steps) path += fmt::format("H{:.1f}V{:.1f}", x + step.half, step.y);
        for (auto i = steps.size(); i-- > 0;)
            path += fmt::format("H{:.1f}V{:.1f}", x - steps[i].half,
                                i > 0 ? steps[i - 1].y : y_of(bar.birth));
        if (bar.chosen < 0) return fmt::format(R"(<path class="stem" d="{}Z"/>)", path);
        const auto colour = cluster_colour(atlas_, bar.chosen);
        return is_chosen
                   ? fmt::format(R"(<path class="chosen" fill="{}" d="{}Z"/>)", colour, path)
                   : fmt::format(R"(<path fill="{}" fill-opacity="0.65" d="{}Z"/>)", colour, path);
    }

    /// The largest clusters for whose numbers there is room, from left to right.
    std::vector<const TreeBar*> labelled(double apart) const {
        std::vector<const TreeBar*> all;
        for (const auto& bar : bars_)
            if (bar.chosen >= 0 && is_top(bar)) all.push_back(&bar);
        std::ranges::stable_sort(all, std::greater(), [](const auto* bar) { return bar->rows; });
        all.resize(std::min(all.size(), static_cast<std::size_t>((right - left) / apart)));
        std::ranges::sort(all, {}, [&](const auto* bar) { return centre(*bar); });
        return all;
    }

    /// Behind the bars, a thin line from each chosen cluster to its number below the picture.
    std::string labels_of_chosen(const std::string& bars) const {
        const double apart =
            6 + 7.0 * static_cast<double>(std::to_string(atlas_.clusters() - 1).size());
        const auto shown = labelled(apart);
        std::vector<double> wanted;
        wanted.reserve(shown.size());
        for (const auto* bar : shown) wanted.push_back(centre(*bar));
        const auto places = spread_out(wanted, apart, left, right);
        std::string lines, numbers;
        for (std::size_t i = 0; i < shown.size(); ++i) {
            const auto& bar = *shown[i];
            lines += svg_line(wanted[i], y_of(bar.birth), wanted[i], bottom + 4, "lead") +
                     svg_line(wanted[i], bottom + 4, places[i], bottom + 20, "lead");
            numbers += fmt::format(R"(<a href="{}clusters/{}.html">)", root_, bar.chosen) +
                       svg_text(places[i], bottom + 33, "middle", std::to_string(bar.chosen)) +
                       "</a>";
        }
        if (!shown.empty())
            numbers +=
                svg_text((left + right) / 2, bottom + 52, "middle", "chosen clusters, by number");
        return lines + bars + numbers;
    }

    /// How wide so many images are.
    std::string scale() const {
        const auto rows = static_cast<double>(atlas_.inputs.clusters.condensed.rows);
        double shown = 1;
        for (const double tick : round_ticks(0, 0.2 * rows, 4))
            if (tick >= 1 && tick == std::floor(tick)) shown = tick;
        const double end = right, begin = end - width_of(static_cast<std::int64_t>(shown));
        return svg_line(begin, 18, end, 18, "axis") + svg_line(begin, 14, begin, 22, "axis") +
               svg_line(end, 14, end, 22, "axis") +
               svg_text(begin - 8, 22, "end",
                        fmt::format("{} images", count_text(static_cast<std::int64_t>(shown))));
    }

    const Atlas& atlas_;
    const std::string& root_;
    std::vector<TreeBar> bars_;
    double low_ = 0, high_ = 0;
    bool is_log_ = false, has_infinity_ = false;
};

}  // namespace

std::vector<TreeBar> tree_bars(const cluster::CondensedTree& tree,
                               std::span<const std::int64_t> selected) {
    std::vector<TreeBar> bars(at(tree.clusters));
    bars[0].rows = tree.rows;
    for (std::size_t i = 0; i < selected.size(); ++i)
        bars[tree.place(selected[i])].chosen = static_cast<int>(i);
    std::vector<std::int64_t> in_parts(bars.size());  // rows of the parts met so far
    std::vector<std::size_t> order(tree.lines());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, {}, [&](std::size_t line) { return tree.lambda[line]; });
    for (const auto line : order) {
        auto& parent = bars[tree.place(tree.parent[line])];
        const auto before = parent.left_at.empty() ? parent.rows : parent.left_at.back().second;
        if (tree.is_row(line)) {
            parent.left_at.emplace_back(tree.lambda[line], before - tree.size[line]);
            continue;
        }
        auto& part = bars[tree.place(tree.child[line])];
        part.parent = static_cast<int>(tree.place(tree.parent[line]));
        part.birth = tree.lambda[line];
        part.rows = tree.size[line];
        in_parts[at(part.parent)] += part.rows;
    }
    std::vector<double> used(bars.size(), 0);  // of the room of each, by parts so far
    for (std::size_t c = 1; c < bars.size(); ++c) {
        auto& bar = bars[c];
        const auto& parent = bars[at(bar.parent)];
        const double share =
            static_cast<double>(bar.rows) / static_cast<double>(in_parts[at(bar.parent)]);
        bar.left = parent.left + used[at(bar.parent)] * (parent.right - parent.left);
        used[at(bar.parent)] += share;
        bar.right = parent.left + used[at(bar.parent)] * (parent.right - parent.left);
        if (bar.chosen < 0) bar.chosen = parent.chosen;
    }
    for (std::size_t c = 1; c < bars.size(); ++c) {
        auto& parent = bars[at(bars[c].parent)];
        if (parent.left_at.empty() || parent.left_at.back().first < bars[c].birth)
            parent.left_at.emplace_back(bars[c].birth, in_parts[at(bars[c].parent)]);
    }
    return bars;
}

std::string condensed_chart(const Atlas& atlas, const std::string& root) {
    return Drawing(atlas, root).draw();
}

}  // namespace nanoatlas::atlas
