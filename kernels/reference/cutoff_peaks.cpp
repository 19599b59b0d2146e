#include "kernels/reference/cutoff_peaks.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace nanoatlas::kernels::reference {
namespace {

double distance(std::span<const double> rows, std::size_t columns, std::size_t i, std::size_t j) {
    double sum = 0;
    for (std::size_t c = 0; c < columns; ++c) {
        const double difference = rows[i * columns + c] - rows[j * columns + c];
        sum += difference * difference;
    }
    return std::sqrt(sum);
}

void assign(CutoffPeaks& peaks, const std::vector<std::size_t>& densest_first) {
    for (const auto i : densest_first) {
        const auto here =
            std::find(peaks.centre.begin(), peaks.centre.end(), static_cast<std::int64_t>(i));
        peaks.label[i] = here != peaks.centre.end()
                             ? static_cast<std::int32_t>(here - peaks.centre.begin())
                             : peaks.label[static_cast<std::size_t>(peaks.parent[i])];
    }
}

}  // namespace

CutoffPeaks cutoff_peaks(std::span<const double> rows, std::size_t columns, double cutoff,
                         bool gaussian, std::size_t clusters) {
    const auto n = rows.size() / columns;
    CutoffPeaks peaks;
    for (std::size_t i = 0; i < n; ++i) {
        double sum = 0;
        for (std::size_t j = 0; j < n; ++j) {
            if (i == j) continue;
            const double apart = distance(rows, columns, i, j);
            sum += gaussian ? std::exp(-apart * apart / (cutoff * cutoff)) : apart < cutoff ? 1 : 0;
        }
        peaks.density.push_back(sum);
    }
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](auto i, auto j) { return peaks.density[i] > peaks.density[j]; });
    peaks.delta.assign(n, 0);
    peaks.parent.assign(n, -1);
    for (std::size_t j = 0; j < n; ++j)
        peaks.delta[order[0]] =
            std::max(peaks.delta[order[0]], distance(rows, columns, order[0], j));
    for (std::size_t place = 1; place < n; ++place) {
        const auto i = order[place];
        std::vector<std::size_t> denser(order.begin(),
                                        order.begin() + static_cast<std::ptrdiff_t>(place));
        std::sort(denser.begin(), denser.end());
        const auto nearest = *std::min_element(denser.begin(), denser.end(), [&](auto a, auto b) {
            return distance(rows, columns, i, a) < distance(rows, columns, i, b);
        });
        peaks.parent[i] = static_cast<std::int64_t>(nearest);
        peaks.delta[i] = distance(rows, columns, i, nearest);
    }
    auto by_gamma = order;
    std::sort(by_gamma.begin(), by_gamma.end());
    std::stable_sort(by_gamma.begin(), by_gamma.end(), [&](auto i, auto j) {
        return peaks.density[i] * peaks.delta[i] > peaks.density[j] * peaks.delta[j];
    });
    peaks.centre.assign(by_gamma.begin(), by_gamma.begin() + static_cast<std::ptrdiff_t>(clusters));
    std::sort(peaks.centre.begin(), peaks.centre.end());
    peaks.label.assign(n, -1);
    assign(peaks, order);

    std::vector<double> border(clusters, -1);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j)
            if (peaks.label[i] != peaks.label[j] && distance(rows, columns, i, j) <= cutoff) {
                auto& highest = border[static_cast<std::size_t>(peaks.label[i])];
                highest = std::max(highest, peaks.density[i]);
            }
    for (std::size_t i = 0; i < n; ++i)
        peaks.halo.push_back(
            peaks.density[i] <= border[static_cast<std::size_t>(peaks.label[i])] ? 1 : 0);
    return peaks;
}

double pair_distance_at(std::span<const double> rows, std::size_t columns, double share) {
    std::vector<double> distances;
    for (std::size_t i = 0; i < rows.size() / columns; ++i)
        for (std::size_t j = 0; j < i; ++j) distances.push_back(distance(rows, columns, i, j));
    std::sort(distances.begin(), distances.end());
    return distances[static_cast<std::size_t>(share * static_cast<double>(distances.size()))];
}

}  // namespace nanoatlas::kernels::reference
