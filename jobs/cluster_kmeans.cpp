// k-means as a method of `cluster`.
#include <fmt/ranges.h>

#include "base/check.hpp"
#include "base/log.hpp"
#include "cluster/kmeans.hpp"
#include "jobs/cluster_method.hpp"

namespace nanoatlas::jobs {
namespace {

class KMeansMethod final : public ClusterMethod {
  public:
    explicit KMeansMethod(std::shared_ptr<const SharedOptions> shared)
        : shared_(std::move(shared)) {}

    void add_options(base::OptionTable& table) override {
        table.add("seed", options_.seed, "kmeans: of the starts");
        table.add("restarts", options_.restarts, "kmeans: starts tried; the least inertia counts");
        table.add("iterations", options_.iterations, "kmeans: at most, of each start");
        table.add("start", start_, "kmeans: matrix of the first centres, a row each; sets --k");
    }
    void validate() const override {
        VALIDATE(shared_->k >= 1 || !start_.empty(),
                 "--k is {} (kmeans does not find the number of clusters); give 1 or more",
                 shared_->k);
    }
    void run(store::Matrix<double> matrix, base::PhaseTimes& phases,
             const comm::Communicator& world) override;
    const comm::RowBlock& rows() const override { return rows_; }
    std::span<const std::int32_t> label() const override { return clusters_.label; }
    void write(store::ArtefactWriter& writer) const override;
    void print_summary(store::Provenance& provenance,
                       const comm::Communicator& world) const override;

  private:
    std::vector<double> given_start(std::int64_t columns, const comm::Communicator& world) const;

    std::shared_ptr<const SharedOptions> shared_;
    cluster::KMeansOptions options_;
    std::string start_;
    comm::RowBlock rows_;
    std::int64_t columns_ = 0;
    cluster::KMeans clusters_;
};

void KMeansMethod::run(store::Matrix<double> matrix, base::PhaseTimes& phases,
                       const comm::Communicator& world) {
    rows_ = matrix.rows;
    columns_ = matrix.columns;
    options_.clusters = shared_->k;
    const auto phase = phases.measure("cluster/kmeans");
    clusters_ = start_.empty() ? cluster::kmeans(matrix, options_, world)
                               : cluster::kmeans_from(matrix, given_start(columns_, world),
                                                      options_.iterations, world);
    if (!clusters_.converged)
        base::log_warning(
            fmt::format("rows still changed their cluster after {} iterations; give more "
                        "--iterations for clusters that stay",
                        options_.iterations));
}

std::vector<double> KMeansMethod::given_start(std::int64_t columns,
                                              const comm::Communicator& world) const {
    const auto start = store::read_matrix<double>(start_, world);
    VALIDATE(start.columns == columns,
             "--start '{}' has {} columns and the matrix {}; both go by "
             "the same columns",
             start_, start.columns, columns);
    VALIDATE(shared_->k == 0 || shared_->k == start.rows.total,
             "--k is {} and --start '{}' has {} rows (one for each cluster); leave --k away",
             shared_->k, start_, start.rows.total);
    return world.all_gather(start.values);
}

void KMeansMethod::write(store::ArtefactWriter& writer) const {
    const auto count = clusters_.clusters();
    writer.write_rows<double>("distance", clusters_.distance, rows_);
    writer.write_whole<double>("centroid", clusters_.centroid, {count, columns_});
    writer.write_whole<std::int64_t>("size", clusters_.size, {count});
    writer.attribute("inertia", clusters_.inertia);
    writer.attribute("iterations", static_cast<std::int64_t>(clusters_.iterations));
}

void KMeansMethod::print_summary(store::Provenance& provenance,
                                 const comm::Communicator& /*world*/) const {
    base::print(fmt::format("{} clusters of {} rows, inertia {:.10g}, {} iterations",
                            clusters_.clusters(), rows_.total, clusters_.inertia,
                            clusters_.iterations));
    base::print(fmt::format("sizes: {}", fmt::join(clusters_.size, " ")));
    provenance.add_result("clusters", static_cast<double>(clusters_.clusters()));
    provenance.add_result("inertia", clusters_.inertia);
}

}  // namespace

std::unique_ptr<ClusterMethod> make_kmeans(std::shared_ptr<const SharedOptions> shared) {
    return std::make_unique<KMeansMethod>(std::move(shared));
}

}  // namespace nanoatlas::jobs
