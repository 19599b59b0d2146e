// Principal components as a method of `reduce`.
#include <fmt/format.h>

#include <iterator>
#include <numeric>

#include "base/check.hpp"
#include "jobs/reduce_method.hpp"
#include "reduce/pca.hpp"
#include "store/agree.hpp"

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
    store::Matrix<float> project_by_fitted(const ReduceInput& input, store::Provenance& provenance,
                                           const comm::Communicator& world);
    reduce::Whiten whiten() const { return whiten_ ? reduce::Whiten::on : reduce::Whiten::off; }
    void read_fitted(const ReduceInput& input, const comm::Communicator& world);
    void check_columns(std::int64_t columns) const;

    std::shared_ptr<const SharedReduceOptions> shared_;
    bool whiten_ = false;
    reduce::Pca pca_;
};

store::Matrix<float> PcaMethod::run(const ReduceInput& input, store::Provenance& provenance,
                                    const comm::Communicator& world) {
    if (!shared_->fitted.empty()) return project_by_fitted(input, provenance, world);
    const auto fit = [&](const auto& rows) {
        const auto scope = provenance.phases().measure("reduce/pca");
        auto [pca, embedding] =
            reduce::fit_and_project(rows, {.components = shared_->components}, whiten(), world);
        pca_ = std::move(pca);
        return std::move(embedding);
    };
    if (input.can_stay_in_file()) return fit(store::MatrixFile(input.source, world));
    if (input.chain.is_empty()) return fit(input.read_as_given(provenance, world));
    return fit(input.read(provenance, world));
}

store::Matrix<float> PcaMethod::project_by_fitted(const ReduceInput& input,
                                                  store::Provenance& provenance,
                                                  const comm::Communicator& world) {
    read_fitted(input, world);
    if (input.can_stay_in_file()) {
        const store::MatrixFile file(input.source, world);
        check_columns(file.columns());
        const auto scope = provenance.phases().measure("reduce/project");
        return reduce::project(file, pca_, whiten(), world);
    }
    const auto matrix = input.read_as_given(provenance, world);
    check_columns(matrix.columns);
    const auto scope = provenance.phases().measure("reduce/project");
    return reduce::project(matrix, pca_, whiten());
}

void PcaMethod::read_fitted(const ReduceInput& input, const comm::Communicator& world) {
    const auto& path = shared_->fitted;
    store::agree_on_input(world, [&] {
        const store::ArtefactReader file(path, "embedding");
        check_fit(file, "pca", input);
        const bool whitened = file.text("whiten") == "on";
        VALIDATE(whitened || !whiten_,
                 "the fit of '{}' was made without --whiten; leave it out, or fit with it", path);
        whiten_ = whitened;
        pca_ = {.mean = file.read<double>("mean"),
                .components = file.read<double>("components"),
                .explained_variance = file.read<double>("explained_variance"),
                .explained_variance_ratio = file.read<double>("explained_variance_ratio")};
        VALIDATE(pca_.count() > 0 &&
                     pca_.components.size() == pca_.explained_variance.size() * pca_.mean.size(),
                 "the fit of '{}' is damaged (its components, mean and variances have lengths that "
                 "do not agree); run reduce again",
                 path);
    });
}

void PcaMethod::check_columns(std::int64_t columns) const {
    VALIDATE(columns == std::ssize(pca_.mean),
             "these rows have {} columns and those of '{}' had {}; both go by the same columns",
             columns, shared_->fitted, pca_.mean.size());
}

void PcaMethod::write(store::ArtefactWriter& writer) const {
    const auto k = pca_.count(), columns = static_cast<std::int64_t>(pca_.mean.size());
    writer.write_whole<double>("mean", pca_.mean, {columns});
    writer.write_whole<double>("components", pca_.components, {k, columns});
    writer.write_whole<double>("explained_variance", pca_.explained_variance, {k});
    writer.write_whole<double>("explained_variance_ratio", pca_.explained_variance_ratio, {k});
    writer.attribute("whiten", std::string(whiten_ ? "on" : "off"));
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
