// Workload of reduce --method autoencoder: an epoch over the rows of a matrix.
#include <memory>
#include <optional>

#include "base/check.hpp"
#include "base/number.hpp"
#include "jobs/bare_convolutions.hpp"
#include "jobs/bench_rows.hpp"
#include "jobs/bench_workloads.hpp"
#include "nn/train/order.hpp"
#include "reduce/autoencoder/training.hpp"

namespace nanoatlas::jobs {
namespace {

reduce::Autoencoder autoencoder_for(const BenchOptions& options, std::int64_t columns) {
    const auto code = base::parse_number<std::int64_t>(options.components);
    VALIDATE(code && *code > 0, "--components is '{}'; an autoencoder wants a number of columns",
             options.components);
    return {
        .input = {columns, 1, 1}, .hidden = reduce::parse_hidden(options.hidden), .code = *code};
}

}  // namespace

// As reduce trains: weights drawn, rows in another order, no row held out. The ceiling is what the
// linear layers alone take for as many steps.
Workload autoencoder_workload(const BenchOptions& options, const comm::Communicator& world) {
    auto matrix = matrix_for<float>(options, 30000, 1280, world);
    auto workload = workload_on(matrix);
    const auto autoencoder =
        std::make_shared<reduce::Autoencoder>(autoencoder_for(options, matrix.columns));
    const auto graph = reduce::graph_of(*autoencoder);
    workload.sizes.emplace_back("parameters", graph.parameter_count());
    const auto split = std::make_shared<const reduce::Split>(
        reduce::draw_split(matrix.rows.total, 0, options.seed));
    const auto scale = reduce::column_scale(matrix, reduce::ColumnWeights::as_they_are, world);
    const auto rows = std::make_shared<const reduce::MatrixRows>(std::move(matrix), scale, world);
    const reduce::AutoencoderSettings settings{
        .epochs = 1,
        .batch = options.batch,
        .seed = options.seed,
        .precision = nn::precision_of(options.network.precision),
        .backend = nn::backend_kind(options.network.backend)};
    workload.run = [=, &world] {
        reduce::train(*autoencoder, *rows, *split, settings, {}, {}, world);
    };

    VALIDATE(options.batch > 0, "--batch is {}; give a number above 0", options.batch);
    const nn::TrainingOrder order(std::vector<std::int32_t>(split->trained.size()),
                                  {.batch = options.batch, .seed = options.seed});
    const auto samples = order.most_of_rank(world.size());
    const auto bare = std::make_shared<std::optional<BareConvolutions>>();
    workload.prepare_bare = [=] {
        bare->emplace(graph, settings.backend, settings.precision, samples, true);
    };
    workload.bare = [bare, steps = order.steps()] {
        for (std::int64_t i = 0; i < steps; ++i) (*bare)->run();
    };
    return workload;
}

}  // namespace nanoatlas::jobs
