#include "kernels/reference/distance_sums.hpp"

#include <cmath>

namespace nanoatlas::kernels::reference {
namespace {

double distance(const double* x, const double* y, std::size_t columns) {
    double sum = 0;
    for (std::size_t d = 0; d < columns; ++d) sum += (x[d] - y[d]) * (x[d] - y[d]);
    return std::sqrt(sum);
}

}  // namespace

std::vector<double> distances_by_label(std::span<const double> a, std::span<const double> b,
                                       std::size_t columns,
                                       std::span<const std::int32_t> label_of_b,
                                       std::size_t labels) {
    std::vector<double> sums(a.size() / columns * labels);
    for (std::size_t i = 0; i < a.size() / columns; ++i)
        for (std::size_t j = 0; j < label_of_b.size(); ++j)
            sums[i * labels + static_cast<std::size_t>(label_of_b[j])] +=
                distance(a.data() + i * columns, b.data() + j * columns, columns);
    return sums;
}

std::vector<std::int64_t> nearest(std::span<const double> a,
                                  std::span<const std::int64_t> group_of_a,
                                  std::span<const double> b,
                                  std::span<const std::int64_t> group_of_b, std::size_t columns) {
    std::vector<std::int64_t> result;
    for (std::size_t i = 0; i < group_of_a.size(); ++i) {
        std::int64_t best = -1;
        double least = 0;
        for (std::size_t j = 0; j < group_of_b.size(); ++j) {
            if (group_of_a[i] == group_of_b[j]) continue;
            const double now = distance(a.data() + i * columns, b.data() + j * columns, columns);
            if (best < 0 || now < least) {
                best = static_cast<std::int64_t>(j);
                least = now;
            }
        }
        result.push_back(best);
    }
    return result;
}

}  // namespace nanoatlas::kernels::reference
