// Workloads on matrices: PCA, neighbours, density peaks, HDBSCAN, k-means, silhouettes.
#include <algorithm>
#include <memory>
#include <span>

#include "base/check.hpp"
#include "base/random.hpp"
#include "cluster/density_peaks.hpp"
#include "cluster/dimension.hpp"
#include "cluster/hdbscan/hdbscan.hpp"
#include "cluster/lloyd.hpp"
#include "cluster/silhouette.hpp"
#include "jobs/bench_rows.hpp"
#include "jobs/bench_workloads.hpp"
#include "kernels/kokkos/products.hpp"
#include "reduce/pca.hpp"
#include "reduce/row_tiles.hpp"
#include "store/matrix.hpp"

namespace nanoatlas::jobs {
namespace {

/// The products of columns and of rows with components, of as many rows, without all else.
void bare_products(const store::Matrix<float>& matrix, std::size_t components) {
    const auto columns = static_cast<std::size_t>(matrix.columns);
    const std::vector<double> mean(columns);
    std::vector<double> scores;
    kernels::kokkos::ColumnProducts<float> of_columns(mean, 0);
    kernels::kokkos::RowProducts of_rows(mean, std::vector<double>(components * columns));
    for (std::int64_t first = 0; first < matrix.rows.count; first += reduce::tile_rows) {
        const auto count =
            static_cast<std::size_t>(std::min(reduce::tile_rows, matrix.rows.count - first));
        const auto tile = std::span(matrix.values)
                              .subspan(static_cast<std::size_t>(first) * columns, count * columns);
        of_columns.add(tile);
        scores.resize(count * components);
        of_rows.multiply(tile, scores);
    }
}

std::vector<double> first_rows(const store::Matrix<double>& matrix, std::int64_t count,
                               const comm::Communicator& world) {
    const auto own = std::clamp<std::int64_t>(count - matrix.rows.first, 0, matrix.rows.count);
    return world.all_gather(std::span<const double>(matrix.values)
                                .first(static_cast<std::size_t>(own * matrix.columns)));
}

cluster::Neighbours neighbours_of(const store::Matrix<double>& matrix, int k,
                                  const comm::Communicator& world) {
    const auto most = static_cast<int>(std::min<std::int64_t>(k, matrix.rows.total - 1));
    return cluster::find_neighbours(matrix, most, world);
}

}  // namespace

Workload pca_workload(const BenchOptions& options, const comm::Communicator& world) {
    const auto matrix = std::make_shared<const store::Matrix<float>>(
        matrix_for<float>(options, 30000, 2048, world));
    auto workload = workload_on(*matrix);
    const auto components = std::make_shared<std::size_t>(0);
    workload.run = [=, &world, wanted = options.components] {
        const auto reduced =
            reduce::fit_and_project(*matrix, {.components = wanted}, reduce::Whiten::off, world);
        *components = static_cast<std::size_t>(reduced.pca.count());
    };
    workload.bare = [=] { bare_products(*matrix, *components); };
    return workload;
}

Workload neighbours_workload(const BenchOptions& options, const comm::Communicator& world) {
    const auto matrix = std::make_shared<const store::Matrix<double>>(
        matrix_for<double>(options, 60000, 50, world));
    auto workload = workload_on(*matrix);
    workload.run = [=, &world, k = options.k] { neighbours_of(*matrix, k, world); };
    return workload;
}

Workload adp_workload(const BenchOptions& options, const comm::Communicator& world) {
    const auto matrix = matrix_for<double>(options, 60000, 50, world);
    auto workload = workload_on(matrix);
    const auto neighbours =
        std::make_shared<const cluster::Neighbours>(neighbours_of(matrix, options.maxk, world));
    workload.run = [=, &world, significance = options.significance] {
        const auto dimension = cluster::two_nn_dimension(*neighbours, world);
        const auto density = cluster::pak_density(*neighbours, dimension, world);
        cluster::density_peaks(*neighbours, density, {.significance = significance}, world);
    };
    return workload;
}

/// All of it: neighbours, tree, clusters.
Workload hdbscan_workload(const BenchOptions& options, const comm::Communicator& world) {
    const auto matrix = std::make_shared<const store::Matrix<double>>(
        matrix_for<double>(options, 20000, 50, world));
    auto workload = workload_on(*matrix);
    workload.run = [=, &world, size = options.min_cluster_size] {
        base::PhaseTimes phases;
        cluster::hdbscan(*matrix, {.min_cluster_size = size, .selection = {}}, phases, world);
    };
    return workload;
}

// Steps from the first rows as centres: what is measured has no part that is done but once.
Workload kmeans_workload(const BenchOptions& options, const comm::Communicator& world) {
    const auto matrix = std::make_shared<const store::Matrix<double>>(
        matrix_for<double>(options, 60000, 50, world));
    VALIDATE(options.clusters >= 1 && options.clusters <= matrix->rows.total,
             "--clusters is {}; give 1 to the {} rows", options.clusters, matrix->rows.total);
    VALIDATE(options.steps >= 1, "--steps is {}; give 1 or more", options.steps);
    auto workload = workload_on(*matrix);
    const auto lloyd = std::make_shared<cluster::Lloyd>(
        *matrix, static_cast<std::size_t>(options.clusters), world);
    const auto start = first_rows(*matrix, options.clusters, world);
    const auto steps = static_cast<int>(options.steps);
    workload.run = [matrix, lloyd, start, steps] { lloyd->run(start, steps); };
    workload.amount = static_cast<double>(lloyd->run(start, steps).iterations);
    workload.unit = "iterations/s";
    return workload;
}

Workload silhouette_workload(const BenchOptions& options, const comm::Communicator& world) {
    const auto matrix = std::make_shared<const store::Matrix<double>>(
        matrix_for<double>(options, 60000, 50, world));
    auto workload = workload_on(*matrix);
    std::vector<std::int64_t> labels;
    for (std::int64_t i = 0; i < matrix->rows.total; ++i)
        labels.push_back(static_cast<std::int64_t>(
            base::Random(options.seed, 3, i).below(static_cast<std::uint64_t>(options.clusters))));
    workload.run = [=, &world] { cluster::silhouette(*matrix, labels, world); };
    return workload;
}

}  // namespace nanoatlas::jobs
