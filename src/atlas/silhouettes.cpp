#include "atlas/silhouettes.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "atlas/model.hpp"
#include "atlas/page_parts.hpp"
#include "atlas/svg.hpp"
#include "cluster/frame.hpp"
#include "cluster/silhouette.hpp"
#include "comm/distribution.hpp"
#include "kernels/kokkos/distance_sums.hpp"

namespace nanoatlas::atlas {
namespace {

std::size_t at(std::int64_t place) {
    return static_cast<std::size_t>(place);
}

/// Points [N, columns] and their clusters.
struct Points {
    std::span<const float> values;
    std::int64_t columns;
    std::span<const std::int32_t> label;

    std::vector<double> values_of(std::span<const std::int64_t> rows) const {
        std::vector<double> result;
        result.reserve(rows.size() * at(columns));
        for (const auto row : rows) {
            const auto point = values.subspan(at(row * columns), at(columns));
            result.insert(result.end(), point.begin(), point.end());
        }
        return result;
    }
    std::vector<std::int32_t> labels_of(std::span<const std::int64_t> rows) const {
        std::vector<std::int32_t> result;
        for (const auto row : rows) result.push_back(label[at(row)]);
        return result;
    }
};

constexpr std::size_t at_once = 8192;

template <class Visit>
void for_each_part(std::span<const std::int64_t> rows, const Visit& visit) {
    for (std::size_t first = 0; first < rows.size(); first += at_once)
        visit(rows.subspan(first, std::min(at_once, rows.size() - first)));
}

kernels::kokkos::FixedPoint unit_of_distances(const Points& points,
                                              std::span<const std::int64_t> all,
                                              std::span<const std::int64_t> sizes,
                                              const comm::Communicator& comm) {
    const auto own = comm::row_block(std::ssize(all), comm);
    const auto frame = cluster::make_frame(
        own.total, at(points.columns),
        [&](const auto& visit) {
            for_each_part(all.subspan(at(own.first), at(own.count)),
                          [&](auto rows) { visit(points.values_of(rows)); });
        },
        comm);
    return cluster::unit_of_distances(frame, *std::max_element(sizes.begin(), sizes.end()));
}

/// Sums of the distances from each row to the rows of each cluster [rows, clusters], in units.
std::vector<std::int64_t> distance_sums(const Points& points,
                                        const kernels::kokkos::DistanceSums& kernel,
                                        std::size_t clusters, std::span<const std::int64_t> rows,
                                        std::span<const std::int64_t> all) {
    const auto from = points.values_of(rows);
    const auto labels = points.labels_of(rows);
    std::vector<std::int64_t> sums(rows.size() * clusters);
    for_each_part(all, [&](auto part) {
        kernel.add_between({from, labels}, {points.values_of(part), points.labels_of(part)}, sums,
                           {});
    });
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
    const Points labelled{points, columns, label};
    const auto unit = unit_of_distances(labelled, all, sizes, comm);
    const kernels::kokkos::DistanceSums kernel(at(columns), sizes.size(), unit);
    const auto sums = distance_sums(labelled, kernel, sizes.size(), mine, all);
    std::vector<double> values;
    for (std::size_t i = 0; i < mine.size(); ++i)
        values.push_back(
            cluster::silhouette_of(std::span(sums).subspan(i * sizes.size(), sizes.size()), unit,
                                   at(label[at(mine[i])]), sizes));
    sample.value = comm.all_gather(values);
    return sample;
}

std::string silhouette_chart(const Atlas& atlas, const std::string& root) {
    return SilhouetteDrawing(atlas, root).draw();
}

}  // namespace nanoatlas::atlas
