#include "cluster/hdbscan/hdbscan.hpp"

#include "base/check.hpp"
#include "base/log.hpp"
#include "cluster/hdbscan/membership.hpp"

namespace nanoatlas::cluster {
namespace {

template <class T>
std::vector<T> rows_of_this_rank(const std::vector<T>& all, const comm::RowBlock& rows) {
    return {all.begin() + rows.first, all.begin() + rows.end()};
}

}  // namespace

void check_options(const HdbscanOptions& options) {
    const auto& [method, epsilon, single, max_size] = options.selection;
    VALIDATE(options.min_cluster_size >= 2,
             "--min-cluster-size is {} (a single row is no cluster); give 2 or more",
             options.min_cluster_size);
    VALIDATE(options.min_samples >= 0,
             "--min-samples is {} (it is a number of rows); give 1 or more, or 0 for "
             "--min-cluster-size",
             options.min_samples);
    VALIDATE(options.alpha > 0 && options.alpha < 1e100,
             "--alpha is {} (distances are divided by it); give a number above 0", options.alpha);
    VALIDATE(epsilon >= 0 && epsilon < 1e300,
             "--epsilon is {} (it is a distance); give a number from 0 on", epsilon);
    VALIDATE(max_size >= 0,
             "--max-cluster-size is {} (it is a number of rows); give 0 for no limit", max_size);
}

std::int64_t samples_of(const HdbscanOptions& options) {
    return options.min_samples > 0 ? options.min_samples : options.min_cluster_size;
}

void check_rows(const comm::RowBlock& rows, const HdbscanOptions& options) {
    VALIDATE(
        rows.total >= options.min_cluster_size,
        "the matrix has {} rows and --min-cluster-size is {} (no cluster can be as large); give "
        "a smaller --min-cluster-size",
        rows.total, options.min_cluster_size);
    if (samples_of(options) >= rows.total)
        base::log_warning(fmt::format("--min-samples is {}, but a row has {} others; {} is used",
                                      samples_of(options), rows.total - 1, rows.total - 1));
}

Hdbscan hdbscan(store::Matrix<double> matrix, const HdbscanOptions& options,
                base::PhaseTimes& phases, const comm::Communicator& comm) {
    check_options(options);
    check_rows(matrix.rows, options);
    Reachability reachability(std::move(matrix), samples_of(options), "", phases, comm);
    return hdbscan(reachability, options, phases);
}

Hdbscan hdbscan(Reachability& reachability, const HdbscanOptions& options,
                base::PhaseTimes& phases) {
    const auto& rows = reachability.rows();
    Hdbscan result;
    result.rows = rows;
    result.metric = reachability.metric();
    {
        const auto phase = phases.measure("cluster/hdbscan/tree");
        result.tree = reachability.tree(samples_of(options), options.alpha);
    }
    const auto phase = phases.measure("cluster/hdbscan/clusters");
    result.condensed = condense(single_linkage(result.tree), options.min_cluster_size);
    result.selected = select_clusters(result.condensed, options.selection);
    const auto label = labels(result.condensed, result.selected, options.selection);
    result.label = rows_of_this_rank(label, rows);
    result.probability =
        rows_of_this_rank(probabilities(result.condensed, result.selected, label), rows);
    result.outlier_score = rows_of_this_rank(outlier_scores(result.condensed), rows);
    result.persistence = persistences(result.condensed, result.selected, label);
    return result;
}

}  // namespace nanoatlas::cluster
