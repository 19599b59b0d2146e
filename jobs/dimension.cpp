// nanoatlas dimension: in how many directions the rows of a matrix vary, scale by scale.
#include "cluster/dimension.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "atlas/dimension_chart.hpp"
#include "atlas/svg.hpp"
#include "base/check.hpp"
#include "base/log.hpp"
#include "base/options.hpp"
#include "cluster/distinct_rows.hpp"
#include "cluster/neighbour_file.hpp"
#include "comm/session.hpp"
#include "jobs/jobs.hpp"
#include "store/output.hpp"
#include "store/plain_file.hpp"
#include "store/provenance.hpp"

namespace nanoatlas::jobs {
namespace {

struct Options {
    std::string input, neighbours, output = "dimension.json";
    int range = 64;
    std::uint64_t seed = 0;
};

base::OptionTable describe(Options& options) {
    base::OptionTable table("dimension",
                            "in how many directions the rows of a matrix vary, scale by scale");
    table.add("input", options.input, "matrix: FILE.h5, FILE.h5:/dataset, .npy, .txt or .csv")
        .required();
    table.add("neighbours", options.neighbours,
              "lists of neighbours, made by the job of that name; default: found anew");
    table.add("output", options.output, "dimension.json to write, and a picture beside it (.svg)");
    table.add("range", options.range, "farthest neighbours that Gride looks at");
    table.add("seed", options.seed, "of the parts that the rows are taken apart into");
    return table;
}

cluster::DimensionScales estimate(const Options& options, store::Matrix<double> matrix,
                                  const comm::Communicator& world) {
    const cluster::ListSource source(options.neighbours, matrix, world);
    const auto distinct =
        cluster::find_distinct_rows(source.in_its_metric(std::move(matrix)), world);
    const auto rows = distinct.matrix.rows.total;
    VALIDATE(rows >= 3, "only {} of {} rows differ (a dimension takes at least 3); give more", rows,
             distinct.given.total);
    const auto k = static_cast<int>(std::min<std::int64_t>(std::max(2, options.range), rows - 1));
    const auto lists = source.lists(distinct, k, k);
    return {.fit = cluster::two_nn_fit(lists, world),
            .likelihood = cluster::two_nn_likelihood(lists, world),
            .gride = cluster::gride(lists, world),
            .decimation = cluster::decimated_two_nn(distinct.matrix, options.seed, world)};
}

nlohmann::ordered_json json_of(const cluster::DimensionEstimate& at) {
    return {{"dimension", at.dimension},
            {"error", at.error},
            {"scale", at.scale},
            {"rows", at.rows},
            {"rank", at.rank}};
}

std::string json_of(const cluster::DimensionScales& found, const store::Provenance& provenance) {
    nlohmann::ordered_json document;
    document["two_nn"] = {{"fit", json_of(found.fit)}, {"likelihood", json_of(found.likelihood)}};
    document["gride"] = document["decimation"] = nlohmann::ordered_json::array();
    for (const auto& at : found.gride) document["gride"].push_back(json_of(at));
    for (const auto& at : found.decimation) document["decimation"].push_back(json_of(at));
    document["provenance"] = nlohmann::ordered_json::parse(provenance.json());
    return document.dump(2) + "\n";
}

std::string picture_path(const std::string& output) {
    return std::filesystem::path(output).replace_extension(".svg").string();
}

}  // namespace

int run_dimension(const Arguments& arguments, const comm::Communicator& world) {
    Options options;
    auto table = describe(options);
    if (table.parse(arguments) == base::Parsed::done) return comm::exit_status::done;
    store::check_output(options.output, world);

    store::Provenance provenance(table, world);
    provenance.add_input(store::file_of_source(options.input));
    if (!options.neighbours.empty()) provenance.add_input(options.neighbours);
    const auto found = [&] {
        const auto phase = provenance.phases().measure("cluster/dimension");
        return estimate(options, store::read_matrix<double>(options.input, world), world);
    }();
    store::publish_text(picture_path(options.output),
                        atlas::svg_file(atlas::dimension_chart(found)), world);
    store::publish_text(options.output, json_of(found, provenance), world);
    for (const auto& at : found.gride)
        base::print(fmt::format("rank {:>5}, distance {:<9.4g} dimension {:.3f} +- {:.3f}", at.rank,
                                at.scale, at.dimension, at.error));
    base::print(fmt::format("TWO-NN: {:.3f} +- {:.3f} by fit, {:.3f} +- {:.3f} by likelihood -> {}",
                            found.fit.dimension, found.fit.error, found.likelihood.dimension,
                            found.likelihood.error, options.output));
    return comm::exit_status::done;
}

}  // namespace nanoatlas::jobs
