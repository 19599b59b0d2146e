#include "atlas/silhouettes.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "atlas/model.hpp"
#include "atlas/page_parts.hpp"
#include "atlas/svg.hpp"
#include "cluster/silhouette.hpp"
#include "comm/distribution.hpp"
#include "kernels/kokkos/distance_sums.hpp"

namespace nanoatlas::atlas {
namespace {

std::size_t at(std::int64_t place) {
    return static_cast<std::size_t>(place);
}

std::vector<double> values_of_rows(std::span<const float> points, std::int64_t columns,
                                   std::span<const std::int64_t> rows) {
    std::vector<double> values;
    values.reserve(rows.size() * at(columns));
    for (const auto row : rows) {
        const auto point = points.subspan(at(row * columns), at(columns));
        values.insert(values.end(), point.begin(), point.end());
    }
    return values;
}

/// Sums of the distances from each row to the rows of each cluster [rows, clusters].
std::vector<double> distance_sums(std::span<const float> points, std::int64_t columns,
                                  std::span<const std::int32_t> label, int clusters,
                                  std::span<const std::int64_t> rows,
                                  std::span<const std::int64_t> all) {
    constexpr std::size_t at_once = 8192;
    const auto from = values_of_rows(points, columns, rows);
    std::vector<double> sums(rows.size() * at(clusters));
    for (std::size_t first = 0; first < all.size(); first += at_once) {
        const auto block = all.subspan(first, std::min(at_once, all.size() - first));
        std::vector<std::int32_t> labels;
        for (const auto row : block) labels.push_back(label[at(row)]);
        kernels::kokkos::add_distances_by_label(from, values_of_rows(points, columns, block),
                                                at(columns), labels, at(clusters), sums);
    }
    return sums;
}

class SilhouetteDrawing {
  public:
    SilhouetteDrawing(const Atlas& atlas, const std::string& root)
        : atlas_(atlas), root_(root), values_(at(atlas.clusters())) {
        const auto& [rows, values] = atlas.silhouettes;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            values_[at(atlas.inputs.clusters.label[at(rows[i])])].push_back(values[i]);
            low_ = std::min(low_, values[i]);
            mean_ += values[i] / static_cast<double>(rows.size());
        }
        low_ = std::max(-1.0, std::floor(5 * low_) / 5);
        for (auto& band : values_) std::sort(band.rbegin(), band.rend());
        pixels_ = 420 / static_cast<double>(std::max<std::size_t>(rows.size(), 1));
    }

    std::string draw() {
        std::string bands;
        double y = top;
        for (const int cluster : atlas_.by_size()) {
            if (values_[at(cluster)].empty()) continue;
            bands += band(cluster, y);
            y += height_of(cluster) + 5;
        }
        std::string inside;
        for (int tick = static_cast<int>(std::round(5 * low_)); tick <= 5; ++tick) {
            inside += svg_line(x_of(tick / 5.0), top, x_of(tick / 5.0), y, "grid");
            inside += svg_text(x_of(tick / 5.0), y + 16, "middle", fmt::format("{:g}", tick / 5.0));
        }
        inside += bands + svg_line(x_of(0), top, x_of(0), y, "axis");
        inside += svg_line(x_of(mean_), top - 6, x_of(mean_), y, "ideal");
        inside += svg_text(x_of(mean_), top - 10, "middle", fmt::format("mean {:.3f}", mean_));
        inside += svg_text((left + right) / 2, y + 34, "middle", "silhouette");
        return svg(width, y + 42, "Silhouettes of the images by cluster", inside);
    }

  private:
    static constexpr double width = 760, left = 130, right = 690, top = 26, least = 15;

    double x_of(double value) const { return left + (right - left) * (value - low_) / (1 - low_); }
    double height_of(int cluster) const {
        return std::max(least, pixels_ * static_cast<double>(values_[at(cluster)].size()));
    }

    std::string band(int cluster, double y) const {
        const auto& values = values_[at(cluster)];
        const double step = height_of(cluster) / static_cast<double>(values.size());
        std::string path = fmt::format("M{:.1f} {:.1f}", x_of(0), y);
        double mean = 0;
        for (std::size_t i = 0; i < values.size(); ++i) {
            path += fmt::format("H{:.1f}V{:.1f}", x_of(values[i]),
                                y + step * static_cast<double>(i + 1));
            mean += values[i] / static_cast<double>(values.size());
        }
        const double middle = y + height_of(cluster) / 2 + 4;
        return fmt::format(R"(<a href="{}clusters/{}.html"><path fill="{}" d="{}H{:.1f}Z"/>)",
                           root_, cluster, cluster_colour(atlas_, cluster), path, x_of(0)) +
               svg_text(left - 10, middle, "end", cluster_name(cluster)) + "</a>" +
               fmt::format(R"(<text class="count" x="{:.0f}" y="{:.1f}">{:.2f}</text>)", right + 12,
                           middle, mean);
    }

    const Atlas& atlas_;
    const std::string& root_;
    std::vector<std::vector<double>> values_;  // by cluster, descending
    double low_ = 0, mean_ = 0, pixels_ = 0;
};

}  // namespace

Silhouettes silhouettes(std::span<const float> points, std::int64_t columns,
                        std::span<const std::int32_t> label, int clusters, std::int64_t most,
                        const comm::Communicator& comm) {
    std::vector<std::int64_t> all, sizes(at(clusters));
    for (std::size_t i = 0; i < label.size(); ++i) {
        if (label[i] < 0) continue;
        all.push_back(static_cast<std::int64_t>(i));
        ++sizes[at(label[i])];
    }
    if (std::ranges::count_if(sizes, [](auto size) { return size > 0; }) < 2) return {};
    Silhouettes sample;
    const auto count = std::min(most, std::ssize(all));
    for (std::int64_t i = 0; i < count; ++i)
        sample.row.push_back(all[at(i * std::ssize(all) / count)]);
    const auto block = comm::row_block(count, comm);
    const auto mine = std::span(sample.row).subspan(at(block.first), at(block.count));
    const auto sums = distance_sums(points, columns, label, clusters, mine, all);
    std::vector<double> values;
    for (std::size_t i = 0; i < mine.size(); ++i)
        values.push_back(
            cluster::silhouette_of(std::span(sums).subspan(i * at(clusters), at(clusters)),
                                   at(label[at(mine[i])]), sizes));
    sample.value = comm.all_gather(values);
    return sample;
}

std::string silhouette_chart(const Atlas& atlas, const std::string& root) {
    return SilhouetteDrawing(atlas, root).draw();
}

}  // namespace nanoatlas::atlas
