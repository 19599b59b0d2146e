// t-SNE as a method of `reduce`: a map to look at.
#include <fmt/format.h>

#include "base/check.hpp"
#include "cluster/neighbour_file.hpp"
#include "jobs/reduce_method.hpp"
#include "reduce/tsne/start.hpp"
#include "reduce/tsne/tsne.hpp"

namespace nanoatlas::jobs {
namespace {

store::Matrix<double> read_rows(const ReduceInput& input, store::Provenance& provenance,
                                const comm::Communicator& world) {
    if (input.chain.is_empty()) return input.read_as_given(provenance, world);
    const auto enhanced = input.read(provenance, world);
    return {.rows = enhanced.rows,
            .columns = enhanced.columns,
            .values = {enhanced.values.begin(), enhanced.values.end()}};
}

reduce::NearestRows as_nearest_rows(cluster::Neighbours lists) {
    return {.k = lists.k, .index = std::move(lists.index), .distance = std::move(lists.distance)};
}

class TsneMethod final : public ReduceMethod {
  public:
    explicit TsneMethod(std::shared_ptr<const SharedReduceOptions> shared)
        : shared_(std::move(shared)) {}

    void add_options(base::OptionTable& table) override {
        table.add("perplexity", options_.perplexity,
                  "tsne: how many rows are near a row; 0: 30, less where there are few rows");
        table.add("iterations", options_.iterations, "tsne: steps of descent");
        table.add("theta", options_.theta,
                  "tsne: how coarsely far points are summed, up to 0.5; 0: all pairs");
        table.add("neighbours", neighbours_,
                  "tsne: neighbours.h5 of the input, with 3 x perplexity of each row or more");
    }
    std::string default_components() const override { return "2"; }
    store::Matrix<float> run(const ReduceInput& input, store::Provenance& provenance,
                             const comm::Communicator& world) override;
    void write(store::ArtefactWriter& writer) const override;
    std::string summary() const override;

  private:
    reduce::TsneOptions chosen_options() const;
    /// Out of a file, if there is one.
    reduce::NearestRows nearest(store::Matrix<double> rows, std::int64_t k,
                                store::Provenance& provenance,
                                const comm::Communicator& world) const;

    std::shared_ptr<const SharedReduceOptions> shared_;
    reduce::TsneOptions options_;
    std::string neighbours_;
    std::string matrix_;  ///< hash of what was reduced
    reduce::Tsne tsne_;
    std::vector<float> kept_;
    double mean_kept_ = 0;
};

reduce::TsneOptions TsneMethod::chosen_options() const {
    VALIDATE(shared_->fitted.empty(),
             "--fitted with tsne (a map has no place for new rows); make a map of all rows, or use "
             "--method pca or autoencoder");
    auto options = options_;
    const auto& text = shared_->components;
    VALIDATE(text == "2" || text == "3",
             "t-SNE with {} components (it makes maps to look at); give --components 2 or 3, or "
             "--method pca for more",
             text);
    options.components = text == "2" ? 2 : 3;
    options.seed = shared_->seed;
    return options;
}

reduce::NearestRows TsneMethod::nearest(store::Matrix<double> rows, std::int64_t k,
                                        store::Provenance& provenance,
                                        const comm::Communicator& world) const {
    const auto scope = provenance.phases().measure("reduce/tsne/neighbours");
    if (!neighbours_.empty()) provenance.add_input(neighbours_);
    const cluster::ListSource source(neighbours_, rows, world);
    const auto block = rows.rows;
    // Rows that repeat stay: they are points of the map like any other.
    const cluster::DistinctRows all{.matrix = source.in_its_metric(std::move(rows)),
                                    .original = {},
                                    .representative = {},
                                    .given = block};
    const auto length = static_cast<int>(k);
    return as_nearest_rows(source.lists(all, length, length));
}

store::Matrix<float> TsneMethod::run(const ReduceInput& input, store::Provenance& provenance,
                                     const comm::Communicator& world) {
    const auto options = chosen_options();
    auto rows = read_rows(input, provenance, world);
    const auto block = rows.rows;
    const auto k = reduce::tsne_neighbours(options, block.total).k;
    matrix_ = cluster::matrix_hash(rows, world);
    auto start = [&] {
        const auto scope = provenance.phases().measure("reduce/tsne/start");
        return reduce::first_points(rows, options.components, options.seed, world);
    }();
    const auto lists = nearest(std::move(rows), k, provenance, world);
    {
        const auto scope = provenance.phases().measure("reduce/tsne/descent");
        tsne_ = reduce::fit_tsne(std::move(start), block, lists, options, world);
    }
    const auto scope = provenance.phases().measure("reduce/tsne/kept-neighbours");
    const auto& map = tsne_.embedding;
    const store::Matrix<double> points{
        .rows = map.rows, .columns = map.columns, .values = {map.values.begin(), map.values.end()}};
    kept_ = reduce::kept_neighbours(
        lists, as_nearest_rows(cluster::find_neighbours(points, static_cast<int>(lists.k), world)));
    const std::vector<double> kept(kept_.begin(), kept_.end());
    mean_kept_ =
        comm::ordered_sum(kept, map.rows.first, world) / static_cast<double>(map.rows.total);
    provenance.set_seed(options.seed);
    provenance.add_result("divergence", tsne_.divergence);
    provenance.add_result("mean_kept_neighbours", mean_kept_);
    return tsne_.embedding;
}

void TsneMethod::write(store::ArtefactWriter& writer) const {
    writer.write_rows<float>("kept_neighbours", kept_, tsne_.embedding.rows);
    writer.attribute("matrix", matrix_);
    writer.attribute("perplexity", tsne_.perplexity);
    writer.attribute("divergence", tsne_.divergence);
    writer.attribute("mean_kept_neighbours", mean_kept_);
}

std::string TsneMethod::summary() const {
    return fmt::format(
        "{} columns of a map, perplexity {:.3g}, divergence {:.4f}; of the {} nearest of a row "
        "{:.0f} % are among its nearest there",
        tsne_.embedding.columns, tsne_.perplexity, tsne_.divergence,
        static_cast<std::int64_t>(3 * tsne_.perplexity), 100 * mean_kept_);
}

}  // namespace

std::unique_ptr<ReduceMethod> make_tsne(std::shared_ptr<const SharedReduceOptions> shared) {
    return std::make_unique<TsneMethod>(std::move(shared));
}

}  // namespace nanoatlas::jobs
