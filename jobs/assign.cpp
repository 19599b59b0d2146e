// nanoatlas assign: puts new rows into clusters that are there.
#include "cluster/assign.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/check.hpp"
#include "base/log.hpp"
#include "base/options.hpp"
#include "cluster/neighbour_file.hpp"
#include "comm/session.hpp"
#include "jobs/jobs.hpp"
#include "store/artefact.hpp"
#include "store/matrix.hpp"
#include "store/output.hpp"
#include "store/provenance.hpp"

namespace nanoatlas::jobs {
namespace {

struct Options {
    std::string clusters, matrix, input, output = "labels.h5";
    int maxk = 100;
};

base::OptionTable describe(Options& options) {
    base::OptionTable table("assign", "puts new rows into clusters that are there");
    table.add("clusters", options.clusters, "clusters.h5 of adp, hdbscan or kmeans").required();
    table.add("input", options.input, "matrix of the new rows").required();
    table.add("matrix", options.matrix, "adp, hdbscan: the matrix that was clustered");
    table.add("maxk", options.maxk, "adp: length of the neighbour lists");
    table.add("output", options.output, "labels.h5, or .csv or .npy for labels alone");
    return table;
}

/// What a method needs to put rows into its clusters.
struct Task {
    const Options& options;
    const store::ArtefactReader& clusters;
    const store::Matrix<double>& rows;
    const comm::Communicator& world;
};

/// Labels of this rank's rows, with what else the method says of them.
struct Assigned {
    cluster::Assignment assignment;
    std::vector<double> log_density, error;
    std::vector<std::uint8_t> halo;
};

Assigned assign_kmeans(const Task& task) {
    const auto shape = task.clusters.shape("centroid");
    VALIDATE(shape.at(1) == task.rows.columns,
             "'{}' has {} columns and the centroids of '{}' {}; both go by the same columns",
             task.options.input, task.rows.columns, task.options.clusters, shape.at(1));
    return {cluster::assign_to_centroids(task.rows, task.clusters.read<double>("centroid")),
            {},
            {},
            {}};
}

// The hash of the clusters' first input is that of the matrix they were found in.
void check_is_clustered_matrix(const Task& task) {
    const auto provenance = nlohmann::json::parse(task.clusters.provenance());
    const auto hash = store::hash_file(store::file_of_source(task.options.matrix), task.world);
    VALIDATE(
        provenance.at("inputs").at(0).at("hash") == hash,
        "'{}' is not the matrix in which the clusters of '{}' were found (its hash is another); "
        "give '{}' as it was then",
        task.options.matrix, task.options.clusters,
        provenance.at("inputs").at(0).at("path").get<std::string>());
}

// As the clusters were found: rows of unit length where they go by the cosine.
store::Matrix<double> in_metric_of(const store::ArtefactReader& clusters,
                                   store::Matrix<double> rows, const comm::Communicator& world) {
    const bool is_cosine = clusters.has_attribute("metric") &&
                           cluster::metric_of(clusters.text("metric")) == cluster::Metric::cosine;
    return is_cosine ? cluster::unit_rows(std::move(rows), world) : std::move(rows);
}

store::Matrix<double> clustered_matrix(const Task& task) {
    VALIDATE(!task.options.matrix.empty(),
             "clusters of method {} need the matrix they were found in (a new row is compared "
             "with its rows); give --matrix",
             task.clusters.text("method"));
    check_is_clustered_matrix(task);
    return in_metric_of(task.clusters, store::read_matrix<double>(task.options.matrix, task.world),
                        task.world);
}

Assigned assign_hdbscan(const Task& task) {
    const auto& file = task.clusters;
    const auto matrix = clustered_matrix(task);
    cluster::TreeClusters clusters;
    clusters.selected.number = file.read<std::int64_t>("selected");
    clusters.min_samples = static_cast<std::int64_t>(file.number("min_samples"));
    auto& tree = clusters.condensed;
    tree.parent = file.read<std::int64_t>("condensed_tree/parent");
    tree.child = file.read<std::int64_t>("condensed_tree/child");
    tree.lambda = file.read<double>("condensed_tree/lambda");
    tree.size = file.read<std::int64_t>("condensed_tree/size");
    tree.rows = file.shape("label").at(0);
    tree.clusters = std::ssize(tree.child) - tree.rows + 1;
    return {cluster::assign_to_tree(task.rows, matrix, clusters, task.world), {}, {}, {}};
}

Assigned assign_adp(const Task& task) {
    auto matrix = clustered_matrix(task);
    const auto& file = task.clusters;
    const cluster::PeakClusters clusters{.label = file.read<std::int32_t>("label"),
                                         .log_density = file.read<double>("log_density"),
                                         .error = file.read<double>("log_density_error"),
                                         .kstar = file.read<std::int32_t>("kstar"),
                                         .saddle_density = file.read<double>("saddle_density"),
                                         .saddle_error = file.read<double>("saddle_error"),
                                         .dimension = file.number("intrinsic_dimension")};
    auto found = cluster::assign_to_peaks(task.rows, std::move(matrix), clusters, task.options.maxk,
                                          task.world);
    auto log_density = std::move(found.log_density), error = std::move(found.error);
    auto halo = std::move(found.halo);
    return {std::move(found), std::move(log_density), std::move(error), std::move(halo)};
}

/// By the attribute `method` of clusters.h5. A method joins with its rule as a row here.
struct Rule {
    const char* method;
    Assigned (*assign)(const Task& task);
};
constexpr std::array<Rule, 3> rules = {
    {{"adp", assign_adp}, {"hdbscan", assign_hdbscan}, {"kmeans", assign_kmeans}}};

const Rule& rule_for(const std::string& method, const std::string& file) {
    const auto found = std::find_if(rules.begin(), rules.end(),
                                    [&](const Rule& rule) { return method == rule.method; });
    std::vector<std::string> known;
    known.reserve(std::size(rules));
    for (const auto& rule : rules) known.emplace_back(rule.method);
    VALIDATE(found != rules.end(),
             "the clusters of '{}' are of method '{}' (it has no rule for new rows); give those of "
             "{}",
             file, method, fmt::join(known, " or "));
    return *found;
}

void write(const Options& options, const std::string& method, const comm::RowBlock& rows,
           const Assigned& assigned, store::Provenance& provenance,
           const comm::Communicator& world) {
    const auto& [label, confidence] = assigned.assignment;
    if (store::is_plain_table(options.output)) {
        store::write_plain_table(options.output, store::Matrix<std::int32_t>{rows, 1, label},
                                 world);
        return;
    }
    store::ArtefactWriter writer(options.output, "labels", world);
    writer.write_rows<std::int32_t>("label", label, rows);
    writer.write_rows<double>("confidence", confidence, rows);
    if (method == "adp") {
        writer.write_rows<double>("log_density", assigned.log_density, rows);
        writer.write_rows<double>("log_density_error", assigned.error, rows);
        writer.write_rows<std::uint8_t>("halo", assigned.halo, rows);
    }
    writer.attribute("method", method);
    writer.publish(provenance);
}

void print_summary(const Assigned& assigned, std::int64_t rows, const comm::Communicator& world) {
    const auto& [label, confidence] = assigned.assignment;
    std::int64_t unsure = 0, noise = 0, largest = -1;
    for (std::size_t i = 0; i < label.size(); ++i) {
        unsure += confidence[i] < 0.5;
        noise += label[i] < 0;
        largest = std::max<std::int64_t>(largest, label[i]);
    }
    std::vector<std::int64_t> sizes(static_cast<std::size_t>(world.max(largest) + 1));
    for (const auto value : label)
        if (value >= 0) ++sizes[static_cast<std::size_t>(value)];
    world.sum(std::span(sizes));
    base::print(fmt::format("{} rows, {} of them with a confidence below 0.5, {} noise", rows,
                            world.sum(unsure), world.sum(noise)));
    base::print(fmt::format("sizes: {}", fmt::join(sizes, " ")));
}

}  // namespace

int run_assign(const Arguments& arguments, const comm::Communicator& world) {
    Options options;
    auto table = describe(options);
    if (table.parse(arguments) == base::Parsed::done) return comm::exit_status::done;
    store::check_output(options.output, world);

    store::Provenance provenance(table, world);
    for (const auto& source : {options.input, options.clusters, options.matrix})
        if (!source.empty()) provenance.add_input(store::file_of_source(source));
    const store::ArtefactReader clusters(options.clusters, "clusters");
    const auto method = clusters.text("method");
    const auto& rule = rule_for(method, options.clusters);
    const auto rows =
        in_metric_of(clusters, store::read_matrix<double>(options.input, world), world);
    const auto assigned = [&] {
        const auto phase = provenance.phases().measure("assign/" + method);
        return rule.assign({options, clusters, rows, world});
    }();
    print_summary(assigned, rows.rows.total, world);
    write(options, method, rows.rows, assigned, provenance, world);
    base::print(fmt::format("written to {}", options.output));
    return comm::exit_status::done;
}

}  // namespace nanoatlas::jobs
