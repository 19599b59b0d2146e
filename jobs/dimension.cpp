// nanoatlas dimension: in how many directions the rows of a matrix vary, scale by scale.
#include "cluster/dimension.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "atlas/line_chart.hpp"
#include "atlas/svg.hpp"
#include "base/check.hpp"
#include "base/log.hpp"
#include "base/options.hpp"
#include "cluster/distinct_rows.hpp"
#include "comm/session.hpp"
#include "jobs/jobs.hpp"
#include "store/output.hpp"
#include "store/plain_file.hpp"
#include "store/provenance.hpp"

namespace nanoatlas::jobs {
namespace {

struct Options {
    std::string input, output = "dimension.json";
    int range = 64;
    std::uint64_t seed = 0;
};

struct Dimensions {
    cluster::DimensionEstimate fit, likelihood;
    std::vector<cluster::DimensionEstimate> gride, decimation;
};

base::OptionTable describe(Options& options) {
    base::OptionTable table("dimension",
                            "in how many directions the rows of a matrix vary, scale by scale");
    table.add("input", options.input, "matrix: FILE.h5, FILE.h5:/dataset, .npy, .txt or .csv")
        .required();
    table.add("output", options.output, "dimension.json to write, and a picture beside it (.svg)");
    table.add("range", options.range, "farthest neighbours that Gride looks at");
    table.add("seed", options.seed, "of the parts that the rows are taken apart into");
    return table;
}

Dimensions estimate(const Options& options, const cluster::DistinctRows& distinct,
                    const comm::Communicator& world) {
    const auto rows = distinct.matrix.rows.total;
    VALIDATE(rows >= 3, "only {} of {} rows differ (a dimension takes at least 3); give more", rows,
             distinct.given.total);
    const auto k = std::min<std::int64_t>(std::max(2, options.range), rows - 1);
    const auto lists = cluster::find_neighbours(distinct.matrix, static_cast<int>(k), world);
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

std::string json_of(const Dimensions& found, const store::Provenance& provenance) {
    nlohmann::ordered_json document;
    document["two_nn"] = {{"fit", json_of(found.fit)}, {"likelihood", json_of(found.likelihood)}};
    document["gride"] = document["decimation"] = nlohmann::ordered_json::array();
    for (const auto& at : found.gride) document["gride"].push_back(json_of(at));
    for (const auto& at : found.decimation) document["decimation"].push_back(json_of(at));
    document["provenance"] = nlohmann::ordered_json::parse(provenance.json());
    return document.dump(2) + "\n";
}

// A line of estimates between two faint ones, two standard errors above and below.
void add_series(atlas::LineChart& chart, const std::string& name,
                const std::vector<cluster::DimensionEstimate>& estimates) {
    atlas::LineSeries line{.name = name, .points = {}};
    for (const auto& at : estimates) line.points.emplace_back(at.scale, at.dimension);
    chart.series.push_back(line);
}
void add_spread(atlas::LineChart& chart, const std::vector<cluster::DimensionEstimate>& estimates) {
    for (const double errors : {-2.0, 2.0}) {
        atlas::LineSeries line{.name = "", .points = {}, .is_faint = true};
        for (const auto& at : estimates)
            line.points.emplace_back(at.scale, at.dimension + errors * at.error);
        chart.series.push_back(line);
    }
}

std::string picture(const Dimensions& found) {
    // A short axis reads better in even steps.
    const bool is_wide = found.gride.back().scale > 20 * found.gride.front().scale;
    atlas::LineChart chart{.title = "Intrinsic dimension against scale",
                           .x_name = "mean distance of the neighbours",
                           .is_log_x = is_wide,
                           .series = {}};
    auto decimation = found.decimation;
    decimation.insert(decimation.begin(), found.fit);
    add_series(chart, "Gride", found.gride);
    add_series(chart, "TWO-NN of fewer and fewer rows", decimation);
    add_spread(chart, found.gride);
    add_spread(chart, decimation);
    return atlas::svg_file(atlas::line_chart(chart));
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
    const auto found = [&] {
        const auto phase = provenance.phases().measure("cluster/dimension");
        return estimate(
            options,
            cluster::find_distinct_rows(store::read_matrix<double>(options.input, world), world),
            world);
    }();
    store::publish_text(picture_path(options.output), picture(found), world);
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
