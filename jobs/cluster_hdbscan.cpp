// HDBSCAN as a method of `cluster`.
#include <fmt/format.h>

#include <algorithm>

#include "base/check.hpp"
#include "base/log.hpp"
#include "cluster/hdbscan/hdbscan.hpp"
#include "jobs/cluster_method.hpp"
#include "jobs/hdbscan_scan.hpp"
#include "jobs/scan_parts.hpp"

namespace nanoatlas::jobs {
namespace {

class HdbscanMethod final : public ClusterMethod {
  public:
    explicit HdbscanMethod(std::shared_ptr<const SharedOptions> shared)
        : shared_(std::move(shared)) {}
    void add_options(base::OptionTable& table) override;
    void validate() const override {
        cluster::check_options(options());
        validate_subsamples(shared_->subsamples);
        sizes();
    }
    std::vector<std::string> inputs() const override {
        return shared_->neighbours.empty() ? std::vector<std::string>{}
                                           : std::vector{shared_->neighbours};
    }
    void run(store::Matrix<double> matrix, base::PhaseTimes& phases,
             const comm::Communicator& world) override;
    const comm::RowBlock& rows() const override { return clusters_.rows; }
    std::span<const std::int32_t> label() const override { return clusters_.label; }
    void write(store::ArtefactWriter& writer) const override;
    void print_summary(store::Provenance& provenance,
                       const comm::Communicator& world) const override;

  private:
    cluster::HdbscanOptions options() const {
        auto options = options_;
        options.selection.method =
            selection_ == "leaf" ? cluster::Selection::leaf : cluster::Selection::excess_of_mass;
        return options;
    }
    std::vector<std::int64_t> sizes() const {
        return scanned_sizes({sizes_, shared_->subsamples}, options_.min_cluster_size);
    }

    std::shared_ptr<const SharedOptions> shared_;
    cluster::HdbscanOptions options_;
    std::string selection_ = "eom", sizes_;
    cluster::Hdbscan clusters_;
    SizesAndStability scan_;
};

void HdbscanMethod::run(store::Matrix<double> matrix, base::PhaseTimes& phases,
                        const comm::Communicator& world) {
    const auto options = this->options();
    const auto sizes = this->sizes();
    VALIDATE(sizes.empty() || sizes.back() <= matrix.rows.total,
             "the matrix has {} rows and --min-cluster-size-scan names {} (no cluster can be as "
             "large); leave it out",
             matrix.rows.total, sizes.back());
    auto largest = options;
    for (const auto size : sizes)
        largest.min_cluster_size = std::max(largest.min_cluster_size, size);
    cluster::check_rows(matrix.rows, largest);
    cluster::Reachability reachability(std::move(matrix), cluster::samples_of(largest),
                                       shared_->neighbours, phases, world);
    clusters_ = cluster::hdbscan(reachability, options, phases);
    const auto phase = phases.measure("cluster/hdbscan/scan");
    scan_ = scan({sizes_, shared_->subsamples}, sizes, reachability, options);
}

void HdbscanMethod::add_options(base::OptionTable& table) {
    auto& selection = options_.selection;
    table.add("min-cluster-size", options_.min_cluster_size,
              "hdbscan: rows of the smallest cluster");
    table.add("min-cluster-size-scan", sizes_,
              "hdbscan: other --min-cluster-size to give labels for, with commas: 5,10,20,40");
    table.add("min-samples", options_.min_samples,
              "hdbscan: other rows that make a neighbourhood; more: more noise; 0: "
              "--min-cluster-size");
    table.add("alpha", options_.alpha, "hdbscan: distances between rows are divided by it");
    table.add("epsilon", selection.epsilon,
              "hdbscan: clusters that part at less than this distance stay together");
    table.add("selection", selection_, "hdbscan: by excess of mass, or the leaves of the tree")
        .choices({"eom", "leaf"});
    table.add("allow-single-cluster", selection.allow_single_cluster,
              "hdbscan: all rows may be one cluster");
    table.add("max-cluster-size", selection.max_cluster_size,
              "hdbscan: eom: rows of the largest cluster; 0: no limit");
}

void HdbscanMethod::write(store::ArtefactWriter& writer) const {
    const auto& found = clusters_;
    writer.write_rows<double>("probability", found.probability, found.rows);
    writer.write_rows<double>("outlier_score", found.outlier_score, found.rows);
    const auto clusters = std::ssize(found.persistence);
    writer.write_whole<double>("persistence", found.persistence, {clusters});
    writer.write_whole<std::int64_t>("selected", found.selected.number, {clusters});

    const auto& condensed = found.condensed;
    const auto lines = std::ssize(condensed.parent);
    writer.write_whole<std::int64_t>("condensed_tree/parent", condensed.parent, {lines});
    writer.write_whole<std::int64_t>("condensed_tree/child", condensed.child, {lines});
    writer.write_whole<double>("condensed_tree/lambda", condensed.lambda, {lines});
    writer.write_whole<std::int64_t>("condensed_tree/size", condensed.size, {lines});

    std::vector<std::int64_t> from, to;
    std::vector<double> weight;
    for (const auto& edge : found.tree) {
        from.push_back(edge.low);
        to.push_back(edge.high);
        weight.push_back(edge.weight);
    }
    writer.attribute("metric", std::string(cluster::name_of(found.metric)));
    writer.attribute("min_samples", static_cast<double>(cluster::samples_of(options_)));
    const auto edges = std::ssize(found.tree);
    writer.write_whole<std::int64_t>("minimum_spanning_tree/from", from, {edges});
    writer.write_whole<std::int64_t>("minimum_spanning_tree/to", to, {edges});
    writer.write_whole<double>("minimum_spanning_tree/distance", weight, {edges});
    write_scan(scan_, found.rows, writer);
}

void HdbscanMethod::print_summary(store::Provenance& provenance,
                                  const comm::Communicator& world) const {
    std::vector<std::int64_t> sizes(clusters_.persistence.size());
    std::int64_t noise = 0;
    for (const auto label : clusters_.label)
        ++(label < 0 ? noise : sizes[static_cast<std::size_t>(label)]);
    world.sum(std::span(sizes));
    noise = world.sum(noise);
    const double share = static_cast<double>(noise) / static_cast<double>(clusters_.rows.total);
    base::print(fmt::format("{} clusters of {} rows, noise {:.1f} %", sizes.size(),
                            clusters_.rows.total, 100 * share));
    base::print(fmt::format("sizes: {}", fmt::join(sizes, " ")));
    print_scan(scan_);
    provenance.add_result("clusters", static_cast<double>(sizes.size()));
    provenance.add_result("noise", share);
}

}  // namespace

std::unique_ptr<ClusterMethod> make_hdbscan(std::shared_ptr<const SharedOptions> shared) {
    return std::make_unique<HdbscanMethod>(std::move(shared));
}

}  // namespace nanoatlas::jobs
