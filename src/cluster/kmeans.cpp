#include "cluster/kmeans.hpp"

#include "base/check.hpp"
#include "base/progress.hpp"
#include "cluster/lloyd.hpp"

namespace nanoatlas::cluster {
namespace {

void check(const KMeansOptions& options, std::int64_t rows) {
    VALIDATE(options.clusters >= 1, "--k is {} (it is the number of clusters); give 1 or more",
             options.clusters);
    VALIDATE(options.clusters <= rows,
             "--k {} is more than {} rows (each cluster needs one of its own); ask for fewer",
             options.clusters, rows);
    VALIDATE(options.restarts >= 1, "--restarts is {} (it counts the starts); give 1 or more",
             options.restarts);
    VALIDATE(options.iterations >= 1, "--iterations is {}; give 1 or more", options.iterations);
}

}  // namespace

KMeans kmeans(const store::Matrix<double>& matrix, const KMeansOptions& options,
              const comm::Communicator& comm) {
    check(options, matrix.rows.total);
    Lloyd lloyd(matrix, static_cast<std::size_t>(options.clusters), comm);
    KMeans best;
    base::Progress progress("cluster/kmeans", options.restarts, "starts");
    for (int restart = 0; restart < options.restarts; ++restart) {
        auto found = lloyd.run(kmeans_start(matrix, options.clusters, options.seed,
                                            static_cast<std::uint64_t>(restart), comm),
                               options.iterations);
        if (restart == 0 || found.inertia < best.inertia) best = std::move(found);
        progress.advance(1);
    }
    return best;
}

KMeans kmeans_from(const store::Matrix<double>& matrix, std::span<const double> start,
                   int iterations, const comm::Communicator& comm) {
    const auto clusters = start.size() / static_cast<std::size_t>(matrix.columns);
    check({.clusters = static_cast<int>(clusters), .iterations = iterations}, matrix.rows.total);
    return Lloyd(matrix, clusters, comm).run({start.begin(), start.end()}, iterations);
}

}  // namespace nanoatlas::cluster
