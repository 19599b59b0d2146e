#include "reduce/tsne/tsne.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.hpp"
#include "base/progress.hpp"

namespace nanoatlas::reduce {
namespace {

constexpr int exaggerated_iterations = 250;
constexpr double exaggeration = 12;

/// Gradient descent with momentum, each coordinate at a rate of its own: faster as long as it keeps
/// its direction (Jacobs, Neural Networks 1 (1988) 295), as in van der Maaten and Hinton's program.
class Descent {
  public:
    Descent(std::size_t coordinates, double rate)
        : rate_(static_cast<float>(rate)), step_(coordinates), gain_(coordinates, 1.0F) {}

    /// Moves y by one step against the gradient.
    void move(std::span<float> y, std::span<const float> gradient, float momentum) {
        for (std::size_t i = 0; i < y.size(); ++i) {
            const bool turns = (gradient[i] > 0) == (step_[i] > 0);
            gain_[i] = std::max(0.01F, turns ? 0.8F * gain_[i] : gain_[i] + 0.2F);
            step_[i] = momentum * step_[i] - rate_ * gain_[i] * gradient[i];
            y[i] += step_[i];
        }
    }

  private:
    float rate_;
    std::vector<float> step_, gain_;
};

std::vector<float> gradient_of(const MapForces& forces, double exaggerated) {
    std::vector<float> gradient(forces.attraction.size());
    const auto pull = static_cast<float>(4 * exaggerated),
               push = static_cast<float>(4 / forces.weight);
    for (std::size_t i = 0; i < gradient.size(); ++i)
        gradient[i] = pull * forces.attraction[i] - push * forces.repulsion[i];
    return gradient;
}

/// Belkina et al.'s N / exaggeration is for a gradient without its factor of 4.
double learning_rate(std::int64_t rows) {
    return std::max(static_cast<double>(rows) / exaggeration / 4, 50.0);
}

/// Collective.
double descend(MapPoints& points, MapGradient& gradient, const comm::RowBlock& rows, int iterations,
               const comm::Communicator& comm) {
    constexpr int iterations_a_note = 50;
    const auto d = static_cast<std::int64_t>(points.dimensions);
    std::vector<float> own(points.y.begin() + rows.first * d, points.y.begin() + rows.end() * d);
    Descent descent(own.size(), learning_rate(rows.total));
    base::Progress progress("reduce/tsne", iterations, "iterations");
    for (int i = 0; i < iterations; ++i) {
        const bool is_early = i < exaggerated_iterations;
        const auto forces = gradient.forces(points);
        if (i % iterations_a_note == 0)
            progress.note(
                fmt::format("divergence {:.4f}", gradient.divergence(points, forces.weight)));
        descent.move(own, gradient_of(forces, is_early ? exaggeration : 1), is_early ? 0.5F : 0.8F);
        points.y = comm.all_gather(own);
        progress.advance();
    }
    return gradient.divergence(points, gradient.forces(points).weight);
}

store::Matrix<float> centred_rows(const MapPoints& points, const comm::RowBlock& rows) {
    const auto d = points.dimensions;
    std::vector<double> mean(d);
    for (std::size_t i = 0; i < points.y.size(); ++i)
        mean[i % d] += points.y[i] / static_cast<double>(points.count());
    store::Matrix<float> result{
        .rows = rows, .columns = static_cast<std::int64_t>(d), .values = {}};
    for (std::size_t i = static_cast<std::size_t>(rows.first) * d;
         i < static_cast<std::size_t>(rows.end()) * d; ++i)
        result.values.push_back(static_cast<float>(points.y[i] - mean[i % d]));
    return result;
}

}  // namespace

TsneNeighbours tsne_neighbours(const TsneOptions& options, std::int64_t rows) {
    constexpr double customary = 30;
    VALIDATE(options.components == 2 || options.components == 3,
             "t-SNE with {} components (it makes maps to look at); give --components 2 or 3, or "
             "--method pca for more",
             options.components);
    VALIDATE(options.iterations >= 1, "--iterations is {}; give 1 or more (750 are customary)",
             options.iterations);
    VALIDATE(options.theta >= 0 && options.theta <= 0.5,
             "--theta is {} (0 sums over all pairs, 0.5 is fast); give one from 0 to 0.5",
             options.theta);
    VALIDATE(rows >= 5 && rows <= std::numeric_limits<std::int32_t>::max(),
             "the matrix has {} rows (t-SNE takes from 5 to 2^31 - 1); use --method pca", rows);
    const double most = static_cast<double>(rows - 2) / 3;
    const double perplexity =
        options.perplexity == 0 ? std::min(customary, most) : options.perplexity;
    VALIDATE(perplexity >= 1, "--perplexity is {}; give 1 or more (30 is customary)", perplexity);
    VALIDATE(perplexity <= most,
             "--perplexity {} takes more than {} neighbours of each row, and there are {} rows; "
             "give {:.0f} or less",
             perplexity, 3 * perplexity, rows, std::floor(most));
    return {.perplexity = perplexity, .k = static_cast<std::int64_t>(3 * perplexity)};
}

Tsne fit_tsne(MapPoints points, const comm::RowBlock& rows, const NearestRows& nearest,
              const TsneOptions& options, const comm::Communicator& comm) {
    const auto perplexity = tsne_neighbours(options, rows.total).perplexity;
    const auto p = affinities(nearest, perplexity, rows, comm);
    MapGradient gradient(p, options.theta, rows, comm);
    const double divergence = descend(points, gradient, rows, options.iterations, comm);
    return {.embedding = centred_rows(points, rows),
            .perplexity = perplexity,
            .divergence = divergence};
}

std::vector<float> kept_neighbours(const NearestRows& nearest, const NearestRows& map) {
    const auto k = static_cast<std::size_t>(nearest.k), wide = static_cast<std::size_t>(map.k);
    std::vector<float> kept;
    for (std::size_t i = 0; i * k < nearest.index.size(); ++i) {
        const auto list = std::span(nearest.index).subspan(i * k, k);
        auto near = std::vector<std::int64_t>(list.begin(), list.end());
        std::ranges::sort(near);
        const auto shown = std::span(map.index).subspan(i * wide, k);
        const auto common = std::ranges::count_if(
            shown, [&](auto row) { return std::ranges::binary_search(near, row); });
        kept.push_back(static_cast<float>(common) / static_cast<float>(k));
    }
    return kept;
}

}  // namespace nanoatlas::reduce
