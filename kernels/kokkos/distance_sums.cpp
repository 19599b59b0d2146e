#include "kernels/kokkos/distance_sums.hpp"

#include <algorithm>
#include <vector>

#include "kernels/kokkos/distance_tiles.hpp"
#include "kernels/kokkos/views.hpp"

namespace nanoatlas::kernels::kokkos {
namespace {

using distance_tiles::height, distance_tiles::width, distance_tiles::InterleavedGroups;

std::vector<std::int64_t> order_by_label(std::span<const std::int32_t> label) {
    auto order = distance_tiles::ascending(label.size());
    std::stable_sort(order.begin(), order.end(), [&](std::int64_t i, std::int64_t j) {
        return label[static_cast<std::size_t>(i)] < label[static_cast<std::size_t>(j)];
    });
    return order;
}

/// Rows with those of a label side by side, so that most tiles have one sum for a row, or a column.
struct SortedRows {
    InterleavedGroups groups;
    DeviceView<std::int64_t> row;    // by position
    DeviceView<std::int32_t> label;  // by position

    SortedRows(const LabelledRows& rows, std::size_t columns)
        : SortedRows(rows, columns, order_by_label(rows.label)) {}

    KOKKOS_FUNCTION std::size_t count() const { return groups.count; }
    /// That of all rows from a position on; -1 if they have several or are fewer.
    KOKKOS_FUNCTION std::int32_t common_label(std::size_t first, std::size_t rows) const {
        if (first + rows > count() || label(first) != label(first + rows - 1)) return -1;
        return label(first);
    }

  private:
    SortedRows(const LabelledRows& rows, std::size_t columns,
               const std::vector<std::int64_t>& order)
        : groups(distance_tiles::interleaved(rows.values, columns, order)),
          row("row", order.size()),
          label("label", order.size()) {
        Kokkos::deep_copy(row, HostView<const std::int64_t>(order.data(), order.size()));
        std::vector<std::int32_t> sorted;
        sorted.reserve(order.size());
        for (const auto i : order) sorted.push_back(rows.label[static_cast<std::size_t>(i)]);
        Kokkos::deep_copy(label, HostView<const std::int32_t>(sorted.data(), sorted.size()));
    }
};

/// Rows on the left that meet those on the right, and the sums of both [n, labels].
struct Meeting {
    SortedRows left, right;
    RoomView<std::int64_t> sums_of_left, sums_of_right;
    std::size_t labels, at_once;
    FixedPoint fixed;
    bool within, both;  // the same rows on both sides; sums of the right, too

    KOKKOS_FUNCTION void add(const RoomView<std::int64_t>& sums, std::int64_t row,
                             std::int32_t label, std::int64_t value) const {
        Kokkos::atomic_add(
            &sums(static_cast<std::size_t>(row) * labels + static_cast<std::size_t>(label)), value);
    }
};

/// Some rows on the left against all on the right. Sums are kept here as long as the labels on the
/// other side stay the same.
class Panel {
  public:
    KOKKOS_FUNCTION Panel(const Meeting& meeting, std::size_t number)
        : meeting_(meeting),
          begin_(number * meeting.at_once),
          end_(Kokkos::min(begin_ + meeting.at_once, meeting.left.count())) {}

    // Within the panel itself each pair comes up from either side, so only rows are added to.
    KOKKOS_FUNCTION void run() {
        for (std::size_t first = meeting_.within ? begin_ : 0; first < meeting_.right.count();
             first += width) {
            const auto label = meeting_.right.common_label(first, width);
            if (label != right_label_) finish_rows();
            right_label_ = label;
            const bool both = meeting_.both && (!meeting_.within || first >= end_);
            for (std::size_t i = begin_; i < end_; i += height) {
                Tile distance;
                measure(i, first, distance);
                add_to_rows(i, first, distance);
                if (both) add_to_columns(i, first, distance);
            }
            finish_columns(first);
        }
        finish_rows();
    }

  private:
    using Tile = std::int64_t[height][width];

    KOKKOS_FUNCTION void measure(std::size_t i, std::size_t first, Tile& distance) const {
        const FixedPoint fixed = meeting_.fixed;
        double squares[height][width];
        distance_tiles::squared_distances(meeting_.left.groups.at(i),
                                          meeting_.right.groups.at(first),
                                          meeting_.left.groups.columns, squares);
        for (std::size_t r = 0; r < height; ++r)
            for (std::size_t w = 0; w < width; ++w)
                distance[r][w] = fixed.whole(Kokkos::sqrt(squares[r][w]));
    }

    KOKKOS_FUNCTION std::size_t rows_of_tile(std::size_t i) const {
        return Kokkos::min(end_ - i, std::size_t{height});
    }
    KOKKOS_FUNCTION std::size_t columns_of_tile(std::size_t first) const {
        return Kokkos::min(meeting_.right.count() - first, std::size_t{width});
    }

    KOKKOS_FUNCTION void add_to_rows(std::size_t i, std::size_t first, const Tile& distance) {
        if (right_label_ >= 0) {
            for (std::size_t r = 0; r < height; ++r)
                for (std::size_t w = 0; w < width / 2; ++w)
                    of_row_[i - begin_ + r][w] += distance[r][w] + distance[r][w + width / 2];
            return;
        }
        for (std::size_t r = 0; r < rows_of_tile(i); ++r)
            for (std::size_t w = 0; w < columns_of_tile(first); ++w)
                meeting_.add(meeting_.sums_of_left, meeting_.left.row(i + r),
                             meeting_.right.label(first + w), distance[r][w]);
    }

    KOKKOS_FUNCTION void add_to_columns(std::size_t i, std::size_t first, const Tile& distance) {
        const auto label = meeting_.left.common_label(i, height);
        if (label != left_label_) finish_columns(first);
        left_label_ = label;
        if (label >= 0) {
            for (std::size_t w = 0; w < width; ++w) {
                std::int64_t sum = 0;
                for (const auto& row : distance) sum += row[w];
                of_column_[w] += sum;
            }
            return;
        }
        for (std::size_t r = 0; r < rows_of_tile(i); ++r)
            for (std::size_t w = 0; w < columns_of_tile(first); ++w)
                meeting_.add(meeting_.sums_of_right, meeting_.right.row(first + w),
                             meeting_.left.label(i + r), distance[r][w]);
    }

    KOKKOS_FUNCTION void finish_rows() {
        if (right_label_ < 0) return;
        for (std::size_t i = begin_; i < end_; ++i) {
            std::int64_t sum = 0;
            for (auto& part : of_row_[i - begin_]) {
                sum += part;
                part = 0;
            }
            meeting_.add(meeting_.sums_of_left, meeting_.left.row(i), right_label_, sum);
        }
        right_label_ = -1;
    }

    KOKKOS_FUNCTION void finish_columns(std::size_t first) {
        if (left_label_ < 0) return;
        for (std::size_t w = 0; w < width; ++w) {
            if (w < columns_of_tile(first))
                meeting_.add(meeting_.sums_of_right, meeting_.right.row(first + w), left_label_,
                             of_column_[w]);
            of_column_[w] = 0;
        }
        left_label_ = -1;
    }

    const Meeting& meeting_;
    std::size_t begin_, end_;
    std::int32_t right_label_ = -1, left_label_ = -1;
    std::int64_t of_row_[distance_tiles::most_at_once][width / 2] = {};
    std::int64_t of_column_[width] = {};
};

void run(const Meeting& meeting) {
    const auto panels = (meeting.left.count() + meeting.at_once - 1) / meeting.at_once;
    Kokkos::parallel_for(
        "cluster/silhouette",
        Kokkos::RangePolicy<Execution, Kokkos::Schedule<Kokkos::Dynamic>>(0, panels,
                                                                          Kokkos::ChunkSize(1)),
        KOKKOS_LAMBDA(const std::size_t panel) { Panel(meeting, panel).run(); });
    Kokkos::fence();
}

}  // namespace

void DistanceSums::add_within(const LabelledRows& rows, std::span<std::int64_t> sums) const {
    if (rows.label.empty()) return;
    const SortedRows sorted(rows, columns_);
    const auto to = on_device_for_update(sums);
    run({.left = sorted,
         .right = sorted,
         .sums_of_left = to,
         .sums_of_right = to,
         .labels = labels_,
         .at_once = distance_tiles::rows_at_once(columns_),
         .fixed = fixed_,
         .within = true,
         .both = true});
    copy_back(to, sums);
}

void DistanceSums::add_between(const LabelledRows& a, const LabelledRows& b,
                               std::span<std::int64_t> sums_of_a,
                               std::span<std::int64_t> sums_of_b) const {
    if (a.label.empty() || b.label.empty()) return;
    const auto to_a = on_device_for_update(sums_of_a), to_b = on_device_for_update(sums_of_b);
    run({.left = SortedRows(a, columns_),
         .right = SortedRows(b, columns_),
         .sums_of_left = to_a,
         .sums_of_right = to_b,
         .labels = labels_,
         .at_once = distance_tiles::rows_at_once(columns_),
         .fixed = fixed_,
         .within = false,
         .both = !sums_of_b.empty()});
    copy_back(to_a, sums_of_a);
    copy_back(to_b, sums_of_b);
}

}  // namespace nanoatlas::kernels::kokkos
