// Principal components as a method of `reduce`.
#include <fmt/format.h>

#include <numeric>

#include "jobs/reduce_method.hpp"
#include "reduce/pca.hpp"

namespace nanoatlas::jobs {
namespace {

class PcaMethod final : public ReduceMethod {
  public:
    explicit PcaMethod(std::shared_ptr<const SharedReduceOptions> shared)
        : shared_(std::move(shared)) {}

    void add_options(base::OptionTable& table) override {
        table.add("whiten", whiten_, "pca: scale the columns to equal variance");
    }
    store::Matrix<float> run(const ReduceInput& input, store::Provenance& provenance,
                             const comm::Communicator& world) override;
    void write(store::ArtefactWriter& writer) const override;
    std::string summary() const override;

  private:
    std::shared_ptr<const SharedReduceOptions> shared_;
    bool whiten_ = false;
    reduce::Pca pca_;
};

store::Matrix<float> PcaMethod::run(const ReduceInput& input, store::Provenance& provenance,
                                    const comm::Communicator& world) {
    const auto matrix = input.read(provenance, world);
    auto& phases = provenance.phases();
    pca_ = [&] {
        const auto scope = phases.measure("reduce/pca");
        return reduce::fit_pca(matrix, {.components = shared_->components}, world);
    }();
    const auto scope = phases.measure("reduce/project");
    return reduce::project(matrix, pca_, whiten_ ? reduce::Whiten::on : reduce::Whiten::off);
}

void PcaMethod::write(store::ArtefactWriter& writer) const {
    const auto k = pca_.count(), columns = static_cast<std::int64_t>(pca_.mean.size());
    writer.write_whole<double>("mean", pca_.mean, {columns});
    writer.write_whole<double>("components", pca_.components, {k, columns});
    writer.write_whole<double>("explained_variance", pca_.explained_variance, {k});
    writer.write_whole<double>("explained_variance_ratio", pca_.explained_variance_ratio, {k});
}

std::string PcaMethod::summary() const {
    const auto& ratio = pca_.explained_variance_ratio;
    return fmt::format("{} columns -> {} components, {:.2f} % of the variance", pca_.mean.size(),
                       pca_.count(), 100 * std::accumulate(ratio.begin(), ratio.end(), 0.0));
}

}  // namespace

std::unique_ptr<ReduceMethod> make_pca(std::shared_ptr<const SharedReduceOptions> shared) {
    return std::make_unique<PcaMethod>(std::move(shared));
}

}  // namespace nanoatlas::jobs
