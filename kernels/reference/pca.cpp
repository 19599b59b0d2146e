#include "kernels/reference/pca.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace nanoatlas::kernels::reference {
namespace {

/// Turns rows and columns p and q of a, and rows p and q of v, so that a[p, q] becomes 0.
void rotate(std::vector<double>& a, std::vector<double>& v, std::size_t n, std::size_t p,
            std::size_t q) {
    if (a[p * n + q] == 0) return;
    const double tau = (a[q * n + q] - a[p * n + p]) / (2 * a[p * n + q]);
    const double t = (tau >= 0 ? 1 : -1) / (std::abs(tau) + std::sqrt(1 + tau * tau));
    const double c = 1 / std::sqrt(1 + t * t), s = t * c;
    const auto turn = [c, s](double& x, double& y) {
        const double old = x;
        x = c * x - s * y;
        y = s * old + c * y;
    };
    for (std::size_t i = 0; i < n; ++i) turn(a[i * n + p], a[i * n + q]);
    for (std::size_t i = 0; i < n; ++i) turn(a[p * n + i], a[q * n + i]);
    for (std::size_t i = 0; i < n; ++i) turn(v[p * n + i], v[q * n + i]);
}

}  // namespace

template <class T>
std::vector<double> scatter(const std::vector<T>& values, std::int64_t rows, std::int64_t columns) {
    const auto n = static_cast<std::size_t>(rows), d = static_cast<std::size_t>(columns);
    std::vector<double> mean(d), sums(d * d);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < d; ++j) mean[j] += values[i * d + j];
    for (auto& value : mean) value /= static_cast<double>(n);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < d; ++j)
            for (std::size_t l = 0; l < d; ++l)
                sums[j * d + l] += (values[i * d + j] - mean[j]) * (values[i * d + l] - mean[l]);
    return sums;
}

template <class P>
std::vector<double> row_products(const std::vector<P>& a, const std::vector<P>& b,
                                 std::int64_t columns) {
    const auto d = static_cast<std::size_t>(columns);
    std::vector<double> products;
    for (std::size_t i = 0; i < a.size(); i += d)
        for (std::size_t j = 0; j < b.size(); j += d) {
            double sum = 0;
            for (std::size_t c = 0; c < d; ++c) sum += static_cast<double>(a[i + c]) * b[j + c];
            products.push_back(sum);
        }
    return products;
}

template <class T>
std::vector<double> axis_scatter(const std::vector<T>& values, std::span<const double> mean,
                                 std::span<const double> axes) {
    const auto d = mean.size();
    std::vector<double> sums(axes.size());
    for (std::size_t i = 0; i < values.size(); i += d)
        for (std::size_t a = 0; a < axes.size(); a += d) {
            double score = 0;
            for (std::size_t c = 0; c < d; ++c) score += (values[i + c] - mean[c]) * axes[a + c];
            for (std::size_t c = 0; c < d; ++c) sums[a + c] += (values[i + c] - mean[c]) * score;
        }
    return sums;
}

using Floats = std::vector<float>;
using Doubles = std::vector<double>;
template Doubles scatter(const Floats&, std::int64_t, std::int64_t);
template Doubles scatter(const Doubles&, std::int64_t, std::int64_t);
template Doubles row_products(const Floats&, const Floats&, std::int64_t);
template Doubles row_products(const Doubles&, const Doubles&, std::int64_t);
template Doubles axis_scatter(const Floats&, std::span<const double>, std::span<const double>);
template Doubles axis_scatter(const Doubles&, std::span<const double>, std::span<const double>);

Eigen eigen(std::span<const double> matrix, std::int64_t size) {
    const auto n = static_cast<std::size_t>(size);
    std::vector<double> a(matrix.begin(), matrix.end()), v(n * n);
    for (std::size_t i = 0; i < n; ++i) v[i * n + i] = 1;
    for (int sweep = 0; sweep < 20; ++sweep)
        for (std::size_t p = 0; p < n; ++p)
            for (std::size_t q = p + 1; q < n; ++q) rotate(a, v, n, p, q);

    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t i, std::size_t j) { return a[i * n + i] > a[j * n + j]; });
    Eigen result;
    for (const auto i : order) {
        result.values.push_back(a[i * n + i]);
        result.vectors.insert(result.vectors.end(), v.begin() + static_cast<std::ptrdiff_t>(i * n),
                              v.begin() + static_cast<std::ptrdiff_t>((i + 1) * n));
    }
    return result;
}

}  // namespace nanoatlas::kernels::reference
