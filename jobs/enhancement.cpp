#include "jobs/enhancement.hpp"

#include <cmath>

#include "base/check.hpp"
#include "cluster/neighbours.hpp"
#include "store/corpus.hpp"

namespace nanoatlas::jobs {
namespace {

reduce::NearestRows find_nearest(const reduce::FeatureMatrix& matrix, std::int64_t k,
                                 const comm::Communicator& world) {
    const store::Matrix<double> rows{.rows = matrix.rows,
                                     .columns = matrix.columns,
                                     .values = {matrix.values.begin(), matrix.values.end()}};
    auto lists = cluster::find_neighbours(rows, static_cast<int>(k), world);
    return {.k = k, .index = std::move(lists.index), .distance = std::move(lists.distance)};
}

/// [N] metres a stored pixel: the side of a square of the same area.
std::vector<double> stored_pixel_sizes(const std::string& path, std::int64_t rows) {
    const store::CorpusReader corpus(path);
    VALIDATE(corpus.rows() == rows,
             "corpus '{}' has {} rows and the matrix has {} (rows go by their order); give the "
             "corpus that the features are of",
             path, corpus.rows(), rows);
    auto sizes = corpus.pixel_sizes();
    const auto scales = corpus.scales();
    for (std::size_t i = 0; i < sizes.size(); ++i)
        sizes[i] *= std::sqrt(static_cast<double>(scales[i][0]) * scales[i][1]);
    return sizes;
}

}  // namespace

void enhance(reduce::FeatureMatrix& matrix, const reduce::EnhancementChain& chain,
             const std::string& corpus, store::Provenance& provenance,
             const comm::Communicator& world) {
    reduce::Surroundings surroundings{
        .comm = world, .find_nearest = [&](const reduce::FeatureMatrix& of, std::int64_t k) {
            return find_nearest(of, k, world);
        }};
    if (!corpus.empty()) provenance.add_input(corpus);
    if (chain.needs_pixel_size() && !corpus.empty())
        surroundings.pixel_size = stored_pixel_sizes(corpus, matrix.rows.total);
    const auto scope = provenance.phases().measure("enhance");
    chain.apply(matrix, surroundings);
}

}  // namespace nanoatlas::jobs
