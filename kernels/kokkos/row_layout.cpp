#include "kernels/kokkos/row_layout.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "kernels/kokkos/neighbour_pool.hpp"
#include "kernels/kokkos/short_rows.hpp"
#include "kernels/kokkos/tile_rows.hpp"

namespace nanoatlas::kernels::kokkos {
namespace {

// More of them move hardly a row to another panel.
constexpr std::size_t directions_for_order = 16;

// By the first components of each row.
std::vector<std::int32_t> leading_order(const std::vector<float>& leading, std::size_t width,
                                        const Share& share) {
    const std::size_t n = leading.size() / width, few = std::min(width - 1, directions_for_order);
    std::vector<double> first(n * few);
    for (std::size_t i = 0; i < n; ++i) std::copy_n(&leading[i * width], few, &first[i * few]);
    return layout_order(first, few, share);
}

std::vector<std::int32_t> ascending(std::size_t first, std::size_t end) {
    std::vector<std::int32_t> order(end - first);
    std::iota(order.begin(), order.end(), static_cast<std::int32_t>(first));
    return order;
}

}  // namespace

SearchRoute route_of(const Frame& frame) {
    if (!frame.directions.empty()) return SearchRoute::leading;
    const bool is_narrow = frame.centre.size() < wide_columns && !frame.compares_all;
    return is_narrow ? SearchRoute::panels : SearchRoute::pairs;
}

bool may_compare_all(std::size_t columns, std::int64_t rows, int k) {
    constexpr std::size_t fewest_columns = 32;
    constexpr std::int64_t pool_bytes = std::int64_t{160} << 20;
    constexpr std::int64_t candidate_bytes = sizeof(float) + sizeof(std::int32_t);
    return columns >= fewest_columns && columns < wide_columns &&
           rows * PoolRoom::capacity(k) * candidate_bytes <= pool_bytes;
}

std::vector<std::int32_t> layout_order(std::span<const double> rows, std::size_t columns,
                                       const Share& share) {
    return space_order(rows, columns, tile_right, share);
}

Layout lay_out(std::span<const double> rows, const Frame& frame, const Share& share) {
    const std::size_t columns = frame.centre.size(), n = rows.size() / columns;
    const auto scaling = scaling_of(frame);
    Layout layout;
    switch (route_of(frame)) {
        case SearchRoute::panels:
            layout.norm2 = squared_norms(rows, scaling);
            layout.order = layout_order(rows, columns, share);
            return layout;
        case SearchRoute::leading:
            round_rows(rows, scaling, layout_widths(frame), layout);
            layout.leading = leading_parts(rows, scaling, Directions(frame));
            layout.order = leading_order(layout.leading, layout_widths(frame).leading, share);
            return layout;
        case SearchRoute::pairs:
            break;
    }
    round_rows(rows, scaling, layout_widths(frame), layout);
    layout.order = ascending(share.begin(n), share.end(n));
    return layout;
}

LayoutWidths layout_widths(const Frame& frame) {
    const std::size_t columns = frame.centre.size();
    switch (route_of(frame)) {
        case SearchRoute::panels:
            return {.norm2 = 1};
        case SearchRoute::leading:
            return {.norm2 = 1,
                    .leading = frame.directions.size() / columns + 1,
                    .numbers = numbers_of_row(columns, 1)};
        case SearchRoute::pairs:
            break;
    }
    return {.norm2 = 1, .numbers = numbers_of_row(columns, short_strip), .group = tile_right};
}

LayoutView LayoutView::part(std::size_t first, std::size_t count,
                            std::span<const std::int32_t> its_order,
                            const LayoutWidths& widths) const {
    const std::size_t n = norm2.size(), columns = exact.size() / std::max(n, std::size_t{1});
    const std::size_t filled_up = (count + widths.group - 1) / widths.group * widths.group;
    const auto cut = [&](auto all, std::size_t width, std::size_t rows) {
        return all.empty() ? all : all.subspan(first * width, rows * width);
    };
    LayoutView view;
    view.order = its_order;
    view.norm2 = cut(norm2, 1, count);
    view.leading = cut(leading, widths.leading, count);
    view.exact = cut(exact, columns, count);
    view.numbers = cut(numbers, widths.numbers, filled_up);
    view.step = cut(step, 1, count);
    view.error = error;
    return view;
}

}  // namespace nanoatlas::kernels::kokkos
