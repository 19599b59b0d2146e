// Advanced density peaks as a method of `cluster`.
#include <fmt/format.h>

#include <algorithm>

#include "base/check.hpp"
#include "base/log.hpp"
#include "cluster/density_peaks.hpp"
#include "cluster/dimension.hpp"
#include "cluster/distinct_rows.hpp"
#include "cluster/neighbour_file.hpp"
#include "jobs/adp_scan.hpp"
#include "jobs/cluster_method.hpp"

namespace nanoatlas::jobs {
namespace {

struct Options {
    std::string dimension = "auto";
    cluster::DensityPeaksOptions peaks;
    std::string density = "pak";
    int maxk = 100, k_density = 10;
    ScanOptions scan;
};

/// Of all rows of the input, repeated ones included.
struct Clusters {
    comm::RowBlock rows;
    cluster::Metric metric = cluster::Metric::euclidean;
    double dimension = 0;
    cluster::Density density;
    cluster::DensityPeaks peaks;
    Scan scan;
};

double chosen_dimension(const Options& options, const cluster::Neighbours& neighbours,
                        const comm::Communicator& world) {
    if (options.dimension == "auto") return cluster::two_nn_dimension(neighbours, world);
    std::size_t used = 0;
    double value = 0;
    try {
        value = std::stod(options.dimension, &used);
    } catch (const std::logic_error&) {
        used = 0;
    }
    VALIDATE(used == options.dimension.size() && value > 0,
             "--dimension is '{}' (it is the number of directions in which the data vary); give "
             "'auto' or a number above 0",
             options.dimension);
    return value;
}

cluster::Density chosen_density(const Options& options, const cluster::Neighbours& neighbours,
                                double dimension, const comm::Communicator& world) {
    if (options.density == "kstar") return cluster::kstar_nn_density(neighbours, dimension, world);
    if (options.density == "knn")
        return cluster::k_nn_density(neighbours, dimension, options.k_density, world);
    return cluster::pak_density(neighbours, dimension, world);
}

void check_there_are_enough(const cluster::DistinctRows& distinct) {
    const auto given = distinct.given.total, rows = distinct.matrix.rows.total;
    VALIDATE(given >= 3, "the matrix has {} rows (a density takes at least 3); give more", given);
    VALIDATE(rows > 1,
             "all {} rows of the matrix are equal (there is nothing to group); look at "
             "how it was made",
             given);
    VALIDATE(rows >= 3, "only {} of {} rows differ (a density takes at least 3); give more", rows,
             given);
}

// Lists as long as asked for, or as there are other rows.
int list_length(int maxk, const cluster::DistinctRows& distinct) {
    const auto rows = distinct.matrix.rows.total;
    if (maxk < rows) return maxk;
    base::log_warning(fmt::format("--maxk {} is more than {} distinct rows allow; {} is used", maxk,
                                  rows, rows - 1));
    return static_cast<int>(rows - 1);
}

void report_repeats(const cluster::DistinctRows& distinct) {
    if (distinct.repeats() > 0)
        base::log_warning(fmt::format(
            "{} of {} rows repeat an earlier one exactly; each counts once in the density and gets "
            "the values of the row that it repeats",
            distinct.repeats(), distinct.given.total));
}

/// From the distinct rows to all that were given.
void spread_to_all_rows(Clusters& clusters, const cluster::DistinctRows& distinct,
                        const comm::Communicator& world) {
    clusters.rows = distinct.given;
    auto& density = clusters.density;
    density.log_density = cluster::spread(density.log_density, distinct, world);
    density.error = cluster::spread(density.error, distinct, world);
    density.kstar = cluster::spread(density.kstar, distinct, world);
    clusters.peaks.label = cluster::spread(clusters.peaks.label, distinct, world);
    clusters.peaks.halo = cluster::spread(clusters.peaks.halo, distinct, world);
    for (auto& centre : clusters.peaks.centre)
        centre = distinct.original[static_cast<std::size_t>(centre)];
}

Clusters find_clusters(const Options& options, const std::string& neighbour_file,
                       store::Matrix<double> matrix, base::PhaseTimes& phases,
                       const comm::Communicator& world) {
    const cluster::ListSource source(neighbour_file, matrix, world);
    const auto distinct =
        cluster::find_distinct_rows(source.in_its_metric(std::move(matrix)), world);
    check_there_are_enough(distinct);
    report_repeats(distinct);
    const auto neighbours = [&] {
        const auto phase = phases.measure("cluster/neighbours");
        const int k = list_length(options.maxk, distinct);
        return source.lists(distinct, k, k);
    }();
    Clusters clusters;
    clusters.metric = source.metric();
    {
        const auto phase = phases.measure("cluster/dimension");
        clusters.dimension = chosen_dimension(options, neighbours, world);
    }
    {
        const auto phase = phases.measure("cluster/adp/density");
        clusters.density = chosen_density(options, neighbours, clusters.dimension, world);
    }
    cluster::Landscape landscape;
    {
        const auto phase = phases.measure("cluster/adp/peaks");
        landscape = cluster::find_landscape(neighbours, clusters.density, world);
        clusters.peaks =
            cluster::significant_peaks(landscape, clusters.density, options.peaks, world);
    }
    {
        const auto phase = phases.measure("cluster/adp/scan");
        const auto density_of = [&](const cluster::Neighbours& lists) {
            return chosen_density(options, lists, clusters.dimension, world);
        };
        clusters.scan = scan(options.scan, options.peaks.significance, neighbours, density_of,
                             landscape, world);
    }
    spread_to_all_rows(clusters.scan, distinct, world);
    spread_to_all_rows(clusters, distinct, world);
    return clusters;
}

class AdvancedDensityPeaks final : public ClusterMethod {
  public:
    explicit AdvancedDensityPeaks(std::shared_ptr<const SharedOptions> shared)
        : shared_(std::move(shared)) {}
    void add_options(base::OptionTable& table) override;
    void validate() const override;
    std::vector<std::string> inputs() const override {
        return shared_->neighbours.empty() ? std::vector<std::string>{}
                                           : std::vector{shared_->neighbours};
    }
    void run(store::Matrix<double> matrix, base::PhaseTimes& phases,
             const comm::Communicator& world) override {
        clusters_ = find_clusters(options(), shared_->neighbours, std::move(matrix), phases, world);
    }
    const comm::RowBlock& rows() const override { return clusters_.rows; }
    std::span<const std::int32_t> label() const override { return clusters_.peaks.label; }
    void write(store::ArtefactWriter& writer) const override;
    void print_summary(store::Provenance& provenance,
                       const comm::Communicator& world) const override;

  private:
    Options options() const {
        auto options = options_;
        options.scan.subsamples = shared_->subsamples;
        return options;
    }

    std::shared_ptr<const SharedOptions> shared_;
    Options options_;
    Clusters clusters_;
};

void AdvancedDensityPeaks::add_options(base::OptionTable& table) {
    table.add("Z", options_.peaks.significance,
              "adp: standard errors by which a peak must stand out; higher: fewer clusters");
    add_scan_options(options_.scan, table);
    table.add("maxk", options_.maxk, "adp: length of the neighbour lists");
    table
        .add("density", options_.density,
             "adp: pak: point-adaptive; kstar: constant over as many neighbours; knn: over "
             "--k-density")
        .choices({"pak", "kstar", "knn"});
    table.add("k-density", options_.k_density, "adp: neighbours of --density knn");
    table.add("dimension", options_.dimension, "adp: intrinsic dimension, auto or a number");
}

void AdvancedDensityPeaks::validate() const {
    VALIDATE(options_.maxk >= 2,
             "--maxk is {} (a density takes at least 2 neighbours); 100 is customary",
             options_.maxk);
    validate_scan(options().scan);
}

void AdvancedDensityPeaks::write(store::ArtefactWriter& writer) const {
    const auto& [log_density, error, kstar] = clusters_.density;
    const auto& peaks = clusters_.peaks;
    const auto count = peaks.clusters();
    writer.write_rows<double>("log_density", log_density, clusters_.rows);
    writer.write_rows<double>("log_density_error", error, clusters_.rows);
    writer.write_rows<std::int32_t>("kstar", kstar, clusters_.rows);
    writer.write_rows<std::uint8_t>("halo", peaks.halo, clusters_.rows);
    writer.write_whole<std::int64_t>("centres", peaks.centre, {count});
    writer.write_whole<double>("saddle_density", peaks.saddle_density, {count, count});
    writer.write_whole<double>("saddle_error", peaks.saddle_error, {count, count});
    writer.attribute("density", options_.density);
    writer.attribute("metric", std::string(cluster::name_of(clusters_.metric)));
    writer.attribute("intrinsic_dimension", clusters_.dimension);
    write_scan(clusters_.scan, clusters_.rows, writer);
}

void AdvancedDensityPeaks::print_summary(store::Provenance& provenance,
                                         const comm::Communicator& world) const {
    const auto& peaks = clusters_.peaks;
    std::vector<std::int64_t> sizes(static_cast<std::size_t>(peaks.clusters()));
    std::int64_t halo = 0;
    for (std::size_t i = 0; i < peaks.label.size(); ++i) {
        ++sizes[static_cast<std::size_t>(peaks.label[i])];
        halo += peaks.halo[i];
    }
    world.sum(std::span(sizes));
    halo = world.sum(halo);
    const double share = static_cast<double>(halo) / static_cast<double>(clusters_.rows.total);
    base::print(fmt::format("{} clusters of {} rows, intrinsic dimension {:.4g}, halo {:.1f} %",
                            peaks.clusters(), clusters_.rows.total, clusters_.dimension,
                            100 * share));
    base::print(fmt::format("sizes: {}", fmt::join(sizes, " ")));
    print_scan(clusters_.scan);
    provenance.add_result("clusters", static_cast<double>(peaks.clusters()));
    provenance.add_result("halo", share);
}

}  // namespace

std::unique_ptr<ClusterMethod> make_adp(std::shared_ptr<const SharedOptions> shared) {
    return std::make_unique<AdvancedDensityPeaks>(std::move(shared));
}

}  // namespace nanoatlas::jobs
