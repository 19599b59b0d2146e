#include "nn/train/contrastive.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace nanoatlas::nn {
namespace {

double dot(std::span<const double> a, std::span<const double> b) {
    double sum = 0;
    for (std::size_t j = 0; j < a.size(); ++j) sum += a[j] * b[j];
    return sum;
}

/// Rows of unit length, and how long they were.
struct UnitRows {
    std::size_t columns;
    std::vector<double> values, lengths;

    UnitRows(std::span<const float> outputs, std::size_t of)
        : columns(of), values(outputs.begin(), outputs.end()), lengths(outputs.size() / of) {
        for (std::size_t i = 0; i < lengths.size(); ++i) {
            const auto row = std::span(values).subspan(i * columns, columns);
            lengths[i] = std::sqrt(dot(row, row)) + 1e-12;
            for (auto& value : row) value /= lengths[i];
        }
    }
    std::size_t count() const { return lengths.size(); }
    std::span<const double> row(std::size_t i) const {
        return std::span(values).subspan(i * columns, columns);
    }
};

std::size_t other_view(std::size_t i) {
    return i % 2 == 0 ? i + 1 : i - 1;
}

/// Replaces a row of similarities over t by their softmax without the row itself; returns the loss
/// of the row.
double softmax_without(std::span<double> similarity, std::size_t i) {
    const double wanted = similarity[other_view(i)];
    similarity[i] = -INFINITY;
    const double largest = *std::ranges::max_element(similarity);
    double sum = 0;
    for (auto& value : similarity) sum += value = std::exp(value - largest);
    for (auto& value : similarity) value /= sum;
    return largest + std::log(sum) - wanted;
}

}  // namespace

double contrastive_loss(std::span<const float> outputs, std::int64_t columns, double temperature,
                        std::span<float> gradient) {
    const UnitRows unit(outputs, static_cast<std::size_t>(columns));
    const auto n = unit.count();
    std::vector<double> share(n * n), losses(n);
#pragma omp parallel for
    for (std::size_t i = 0; i < n; ++i) {
        const auto row = std::span(share).subspan(i * n, n);
        for (std::size_t k = 0; k < n; ++k) row[k] = dot(unit.row(i), unit.row(k)) / temperature;
        losses[i] = softmax_without(row, i);
    }
    const double scale = 1 / (static_cast<double>(n) * temperature);
#pragma omp parallel for
    for (std::size_t i = 0; i < n; ++i) {
        std::vector<double> by_unit(unit.columns);  // the gradient by u_i
        for (std::size_t k = 0; k < n; ++k) {
            const double pull = k == other_view(i) ? 2 : 0;
            const double weight = scale * (share[i * n + k] + share[k * n + i] - pull);
            for (std::size_t j = 0; j < by_unit.size(); ++j) by_unit[j] += weight * unit.row(k)[j];
        }
        const double along = dot(by_unit, unit.row(i));
        for (std::size_t j = 0; j < by_unit.size(); ++j)
            gradient[i * unit.columns + j] =
                static_cast<float>((by_unit[j] - along * unit.row(i)[j]) / unit.lengths[i]);
    }
    double sum = 0;
    for (const double loss : losses) sum += loss;
    return sum / static_cast<double>(n);
}

}  // namespace nanoatlas::nn
