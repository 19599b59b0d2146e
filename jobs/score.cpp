// nanoatlas score: clusters against known labels, and against the embedding they were found in.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/check.hpp"
#include "base/log.hpp"
#include "base/options.hpp"
#include "cluster/bootstrap.hpp"
#include "cluster/density_validity.hpp"
#include "cluster/scatter_scores.hpp"
#include "cluster/scores.hpp"
#include "cluster/silhouette.hpp"
#include "comm/session.hpp"
#include "jobs/jobs.hpp"
#include "store/artefact.hpp"
#include "store/matrix.hpp"
#include "store/output.hpp"
#include "store/plain_file.hpp"
#include "store/provenance.hpp"

namespace nanoatlas::jobs {
namespace {

using Labels = std::vector<std::int64_t>;
using Figures = std::vector<std::pair<std::string, double>>;
using Intervals = std::vector<std::pair<std::string, cluster::Interval>>;

struct Options {
    std::string clusters, truth, embedding, folds, output = "scores.json";
    cluster::BootstrapOptions bootstrap;
};

base::OptionTable describe(Options& options) {
    base::OptionTable table("score", "how well clusters agree with known labels");
    table.add("clusters", options.clusters, "clusters.h5, .csv or .npy; noise (-1) is a class")
        .required();
    table
        .add("truth", options.truth,
             "labels: corpus.h5 (rows without one are left out), .csv or .npy (-1 is a class)")
        .required();
    table.add("embedding", options.embedding,
              "matrix of the rows, for internal scores and the nearest neighbours' accuracy");
    table.add("folds", options.folds,
              "a number a row: nearest neighbours are looked for in other folds only");
    table.add("bootstrap", options.bootstrap.replicates,
              "drawings of rows for intervals of scores; 0: none");
    table.add("seed", options.bootstrap.seed, "of the bootstrap");
    table.add("output", options.output, "scores.json to write");
    return table;
}

void check_rows(std::int64_t rows, const std::string& name, const Labels& clusters,
                const std::string& clusters_name) {
    VALIDATE(rows == std::ssize(clusters),
             "'{}' has {} rows and '{}' has {} (rows go by their order); give files of one corpus",
             name, rows, clusters_name, clusters.size());
}

bool is_corpus(const std::string& source, const comm::Communicator& world) {
    bool corpus = false;
    world.on_root([&] {
        corpus =
            source.ends_with(".h5") &&
            store::ArtefactReader(source, store::ArtefactReader::any_hdf5).format() == "corpus";
    });
    return world.broadcast(corpus);
}

/// The rows of a whose label in truth is not -1.
Labels where_labelled(const Labels& a, const Labels& truth) {
    Labels kept;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (truth[i] != -1) kept.push_back(a[i]);
    return kept;
}

Figures figures_of(const cluster::Scores& scores) {
    return {{"nmi", scores.nmi},
            {"ami", scores.ami},
            {"ari", scores.ari},
            {"homogeneity", scores.homogeneity},
            {"completeness", scores.completeness},
            {"v_measure", scores.v_measure},
            {"fowlkes_mallows", scores.fowlkes_mallows},
            {"purity", scores.purity}};
}

/// The labels that count against the truth: of a corpus, those of rows that have one.
struct Scored {
    Labels clusters, truth;
};

Scored scored_labels(const Options& options, const Labels& clusters, const Labels& truth,
                     const comm::Communicator& world) {
    if (!is_corpus(options.truth, world)) return {clusters, truth};
    return {where_labelled(clusters, truth), where_labelled(truth, truth)};
}

void add_intervals(const Options& options, const Scored& scored, store::Provenance& provenance,
                   Intervals& intervals, const comm::Communicator& world) {
    const auto scope = provenance.phases().measure("score/bootstrap");
    const auto found =
        cluster::bootstrap_scores(scored.clusters, scored.truth, options.bootstrap, world);
    intervals.insert(intervals.end(), {{"nmi", found.nmi}, {"ami", found.ami}, {"ari", found.ari}});
}

void add_silhouette(const Options& options, const store::Matrix<double>& embedding,
                    const Labels& clusters, store::Provenance& provenance, Figures& figures,
                    Intervals& intervals, const comm::Communicator& world) {
    const auto scope = provenance.phases().measure("score/silhouette");
    const auto values = cluster::silhouettes(embedding, clusters, world);
    figures.emplace_back("silhouette", comm::ordered_sum(values, embedding.rows.first, world) /
                                           static_cast<double>(embedding.rows.total));
    if (options.bootstrap.replicates > 0)
        intervals.emplace_back("silhouette", cluster::bootstrap_mean(world.all_gather(values),
                                                                     options.bootstrap, world));
}

void add_embedding_figures(const Options& options, const Labels& clusters, const Labels& truth,
                           store::Provenance& provenance, Figures& figures, Intervals& intervals,
                           const comm::Communicator& world) {
    const auto embedding = store::read_matrix<double>(options.embedding, world);
    check_rows(embedding.rows.total, options.embedding, clusters, options.clusters);
    Labels folds;
    if (!options.folds.empty()) {
        folds = store::read_labels(options.folds, world);
        check_rows(std::ssize(folds), options.folds, clusters, options.clusters);
    }
    add_silhouette(options, embedding, clusters, provenance, figures, intervals, world);
    {
        const auto scope = provenance.phases().measure("score/scatter");
        const auto scatter = cluster::scatter_scores(embedding, clusters, world);
        figures.emplace_back("davies_bouldin", scatter.davies_bouldin);
        figures.emplace_back("calinski_harabasz", scatter.calinski_harabasz);
    }
    {
        const auto scope = provenance.phases().measure("score/density_validity");
        figures.emplace_back("dbcv", cluster::density_validity(embedding, clusters, world));
    }
    const auto scope = provenance.phases().measure("score/nearest_neighbours");
    figures.emplace_back("nearest_neighbour_accuracy",
                         cluster::nearest_neighbour_accuracy(embedding, truth, folds, world));
}

nlohmann::ordered_json number_or_null(double value) {
    return std::isfinite(value) ? nlohmann::ordered_json(value) : nullptr;
}

nlohmann::ordered_json json_of(const Intervals& intervals) {
    nlohmann::ordered_json document;
    for (const auto& [name, interval] : intervals)
        document[name] = {number_or_null(interval.low), number_or_null(interval.high)};
    return document;
}

std::string json_of(const cluster::Scores& scores, std::int64_t rows, const Labels& clusters,
                    const Figures& figures, const Intervals& intervals,
                    const store::Provenance& provenance) {
    nlohmann::ordered_json document;
    document["rows"] = rows;
    document["rows_scored"] = scores.rows;
    document["clusters"] = scores.clusters;
    document["classes"] = scores.classes;
    document["noise"] = std::count(clusters.begin(), clusters.end(), -1);
    for (const auto& [name, value] : figures) document[name] = number_or_null(value);
    if (!intervals.empty()) document["intervals"] = json_of(intervals);
    document["provenance"] = nlohmann::ordered_json::parse(provenance.json());
    return document.dump(2) + "\n";
}

std::string text_of(double value) {
    return std::isfinite(value) ? fmt::format("{:.6f}", value) : "undefined";
}

void print_table(const cluster::Scores& scores, const Figures& figures,
                 const Intervals& intervals) {
    base::print(fmt::format("{} rows, {} clusters, {} classes", scores.rows, scores.clusters,
                            scores.classes));
    for (const auto& [name, value] : figures) {
        auto line = fmt::format("  {:<28}{:>9}", name, text_of(value));
        for (const auto& [of, interval] : intervals)
            if (of == name)
                line +=
                    fmt::format("  from {} to {}", text_of(interval.low), text_of(interval.high));
        base::print(line);
    }
}

}  // namespace

int run_score(const Arguments& arguments, const comm::Communicator& world) {
    Options options;
    auto table = describe(options);
    if (table.parse(arguments) == base::Parsed::done) return comm::exit_status::done;
    store::check_output(options.output, world);
    VALIDATE(options.folds.empty() || !options.embedding.empty(),
             "--folds is given without --embedding (it is for nearest neighbours); give both");

    VALIDATE(options.bootstrap.replicates >= 0,
             "--bootstrap is {} (it counts drawings); give 0 for none, or 1,000",
             options.bootstrap.replicates);

    store::Provenance provenance(table, world);
    for (const auto& source : {options.clusters, options.truth, options.embedding, options.folds})
        if (!source.empty()) provenance.add_input(store::file_of_source(source));
    const auto clusters = store::read_labels(options.clusters, world);
    const auto truth = store::read_labels(options.truth, world);
    check_rows(std::ssize(truth), options.truth, clusters, options.clusters);

    const auto scored = scored_labels(options, clusters, truth, world);
    const auto scores = cluster::compare(scored.clusters, scored.truth);
    auto figures = figures_of(scores);
    Intervals intervals;
    if (options.bootstrap.replicates > 0)
        add_intervals(options, scored, provenance, intervals, world);
    if (!options.embedding.empty())
        add_embedding_figures(options, clusters, truth, provenance, figures, intervals, world);
    store::publish_text(
        options.output,
        json_of(scores, std::ssize(clusters), clusters, figures, intervals, provenance), world);
    print_table(scores, figures, intervals);
    return comm::exit_status::done;
}

}  // namespace nanoatlas::jobs
