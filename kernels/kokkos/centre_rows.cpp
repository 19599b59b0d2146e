#include "kernels/kokkos/centre_rows.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/kokkos/squared_distance.hpp"

namespace nanoatlas::kernels::kokkos::centre_search {
namespace {

/// A product of `columns` terms is summed in parts of terms_at_once, and these one after another.
RoundingBound rounding_of(std::size_t columns) {
    const auto parts = (columns + terms_at_once - 1) / terms_at_once;
    return RoundingBound(std::min(columns, terms_at_once) + parts);
}

/// Rows are so far apart that those of a group don't share the same few places in the caches.
std::size_t stride_of(std::size_t columns) {
    constexpr std::size_t line = 16;
    return columns % (16 * line) == 0 ? columns + line : columns;
}

/// How far each centre moved, rounded up, in scaled units; [K].
std::vector<double> moves(std::span<const double> from, std::span<const double> to,
                          std::size_t columns, double factor) {
    std::vector<double> move(to.size() / columns);
    for (std::size_t k = 0; k < move.size(); ++k)
        move[k] = std::sqrt(squared_distance(&from[k * columns], &to[k * columns], columns)) *
                  factor * (1 + 0x1p-20);
    return move;
}

/// What a row of each cluster may lose of its lead: its centre's move and the largest of another's.
std::vector<float> steps(const std::vector<double>& move) {
    std::size_t first = 0;
    for (std::size_t k = 1; k < move.size(); ++k)
        if (move[k] > move[first]) first = k;
    double second = 0;
    for (std::size_t k = 0; k < move.size(); ++k)
        if (k != first) second = std::max(second, move[k]);
    std::vector<float> step;
    for (std::size_t k = 0; k < move.size(); ++k)
        step.push_back(
            static_cast<float>((move[k] + (k == first ? second : move[first])) * (1 + 0x1p-20)));
    return step;
}

DeviceView<float> uploaded(const std::vector<float>& values) {
    DeviceView<float> view("values", values.size());
    Kokkos::deep_copy(view, HostView<const float>(values.data(), values.size()));
    return view;
}

/// Values and norms of rows that are given.
void fill(const Rows& rows, const DeviceView<double>& centre) {
    const auto columns = rows.columns;
    for_each_row(
        "kmeans/rows", rows.count, KOKKOS_LAMBDA(const std::size_t i) {
            double sum = 0;
            for (std::size_t c = 0; c < columns; ++c) {
                const auto value =
                    static_cast<float>((rows.given(i * columns + c) - centre(c)) * rows.factor);
                rows.values(i * rows.stride + c) = value;
                sum += static_cast<double>(value) * static_cast<double>(value);
            }
            rows.norm2(i) = static_cast<float>(sum);
        });
    Kokkos::fence();
}

}  // namespace

Rows make_rows(std::span<const double> given, const Frame& frame,
               const DeviceView<double>& centre) {
    const std::size_t columns = frame.centre.size(), n = given.size() / columns;
    Rows rows{.count = n,
              .columns = columns,
              .stride = stride_of(columns),
              .factor = std::exp2(-std::ceil(std::log2(frame.largest))),
              .rounding = rounding_of(columns),
              .given = on_device(given),
              .values = DeviceView<float>("rows", n * stride_of(columns)),
              .norm2 = DeviceView<float>("norm2", n),
              .lead = DeviceView<float>("lead", n),
              .label = DeviceView<std::int32_t>("label", n)};
    fill(rows, centre);
    return rows;
}

Centres make_centres(const Rows& rows, const DeviceView<double>& centre,
                     std::span<const double> values, std::span<const double> last) {
    const auto columns = rows.columns, clusters = values.size() / columns;
    const auto panels = (clusters + width - 1) / width;
    Centres made{.count = clusters,
                 .padded = panels * width,
                 .values = on_device(values),
                 .panels = DeviceView<float>("panels", panels * width * columns),
                 .norm2 = {},
                 .step = {},
                 .largest_norm2 = 0};
    const auto from = made.values;
    const auto to = made.panels;
    const auto factor = rows.factor;
    for_each_row(
        "kmeans/centres", clusters, KOKKOS_LAMBDA(const std::size_t k) {
            for (std::size_t c = 0; c < columns; ++c)
                to((k / width * columns + c) * width + k % width) =
                    static_cast<float>((from(k * columns + c) - centre(c)) * factor);
        });
    Kokkos::fence();
    const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, made.panels);
    std::vector<float> norm2(made.padded, INFINITY);
    for (std::size_t k = 0; k < clusters; ++k) {
        double sum = 0;
        for (std::size_t c = 0; c < columns; ++c) {
            const double value = host((k / width * columns + c) * width + k % width);
            sum += value * value;
        }
        norm2[k] = static_cast<float>(sum);
        made.largest_norm2 = std::max(made.largest_norm2, norm2[k]);
    }
    made.norm2 = uploaded(norm2);
    made.step = uploaded(last.empty() ? std::vector<float>(clusters)
                                      : steps(moves(last, values, columns, factor)));
    return made;
}

}  // namespace nanoatlas::kernels::kokkos::centre_search
