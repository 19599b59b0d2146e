// Density peaks by a cutoff distance, the method of 2014, as a method of `cluster`.
#include <fmt/ranges.h>

#include "base/check.hpp"
#include "base/log.hpp"
#include "cluster/cutoff_distance.hpp"
#include "cluster/cutoff_peaks.hpp"
#include "jobs/cluster_method.hpp"

namespace nanoatlas::jobs {
namespace {

// Of the other rows within the cutoff, on average; 1 to 2 % by the paper's rule of thumb.
constexpr double share_of_neighbours = 0.02;

class CutoffPeaksMethod final : public ClusterMethod {
  public:
    explicit CutoffPeaksMethod(std::shared_ptr<const SharedOptions> shared)
        : shared_(std::move(shared)) {}

    void add_options(base::OptionTable& table) override {
        table.add("cutoff", cutoff_, "dp: distance, or auto: 2 % of the other rows lie within it");
        table.add("kernel", kernel_, "dp: how a row within the cutoff counts")
            .choices({"gaussian", "count"});
    }
    void validate() const override {}
    void run(store::Matrix<double> matrix, base::PhaseTimes& phases,
             const comm::Communicator& world) override;
    const comm::RowBlock& rows() const override { return rows_; }
    std::span<const std::int32_t> label() const override { return peaks_.label; }
    void write(store::ArtefactWriter& writer) const override;
    void print_summary(store::Provenance& provenance,
                       const comm::Communicator& world) const override;

  private:
    double chosen_cutoff(const store::Matrix<double>& matrix,
                         const comm::Communicator& world) const;

    std::shared_ptr<const SharedOptions> shared_;
    std::string cutoff_ = "auto", kernel_ = "gaussian";
    comm::RowBlock rows_;
    double distance_ = 0;
    cluster::CutoffPeaks peaks_;
};

double CutoffPeaksMethod::chosen_cutoff(const store::Matrix<double>& matrix,
                                        const comm::Communicator& world) const {
    if (cutoff_ == "auto") {
        VALIDATE(matrix.rows.total >= 2,
                 "the matrix has {} row (a density takes at least 2); give more",
                 matrix.rows.total);
        const double found = cluster::cutoff_distance(matrix, share_of_neighbours, 1, world);
        VALIDATE(found > 0,
                 "cannot choose a cutoff distance ({:.0f} % of all rows coincide with another); "
                 "give --cutoff",
                 100 * share_of_neighbours);
        return found;
    }
    std::size_t used = 0;
    double value = 0;
    try {
        value = std::stod(cutoff_, &used);
    } catch (const std::logic_error&) {
        used = 0;
    }
    VALIDATE(used == cutoff_.size() && value > 0,
             "--cutoff is '{}' (rows within that distance count for the density); give 'auto' or a "
             "number above 0",
             cutoff_);
    return value;
}

void CutoffPeaksMethod::run(store::Matrix<double> matrix, base::PhaseTimes& phases,
                            const comm::Communicator& world) {
    rows_ = matrix.rows;
    {
        const auto phase = phases.measure("cluster/dp/cutoff");
        distance_ = chosen_cutoff(matrix, world);
    }
    const auto phase = phases.measure("cluster/dp/peaks");
    using kernels::kokkos::DensityKernel;
    peaks_ = cluster::cutoff_peaks(
        matrix,
        {.cutoff = distance_,
         .kernel = kernel_ == "count" ? DensityKernel::count : DensityKernel::gaussian,
         .clusters = shared_->k},
        world);
}

void CutoffPeaksMethod::write(store::ArtefactWriter& writer) const {
    writer.write_rows<double>("density", peaks_.density, rows_);
    writer.write_rows<double>("delta", peaks_.delta, rows_);
    writer.write_rows<std::int64_t>("parent", peaks_.parent, rows_);
    writer.write_rows<std::uint8_t>("halo", peaks_.halo, rows_);
    writer.write_whole<std::int64_t>("centres", peaks_.centre, {peaks_.clusters()});
    writer.attribute("cutoff", distance_);
    writer.attribute("kernel", kernel_);
}

void CutoffPeaksMethod::print_summary(store::Provenance& provenance,
                                      const comm::Communicator& world) const {
    std::vector<std::int64_t> sizes(static_cast<std::size_t>(peaks_.clusters()));
    std::int64_t halo = 0;
    for (std::size_t i = 0; i < peaks_.label.size(); ++i) {
        ++sizes[static_cast<std::size_t>(peaks_.label[i])];
        halo += peaks_.halo[i];
    }
    world.sum(std::span(sizes));
    const double share = static_cast<double>(world.sum(halo)) / static_cast<double>(rows_.total);
    base::print(fmt::format("{} clusters of {} rows, cutoff {:.6g}, halo {:.1f} %",
                            peaks_.clusters(), rows_.total, distance_, 100 * share));
    base::print(fmt::format("sizes: {}", fmt::join(sizes, " ")));
    provenance.add_result("clusters", static_cast<double>(peaks_.clusters()));
    provenance.add_result("halo", share);
}

}  // namespace

std::unique_ptr<ClusterMethod> make_dp(std::shared_ptr<const SharedOptions> shared) {
    return std::make_unique<CutoffPeaksMethod>(std::move(shared));
}

}  // namespace nanoatlas::jobs
