// nanoatlas score: clusters against known labels, and against the embedding they were found in.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/check.hpp"
#include "base/log.hpp"
#include "base/options.hpp"
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

struct Options {
    std::string clusters, truth, embedding, folds, output = "scores.json";
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
              "matrix of the rows, for the silhouette and the nearest neighbours' accuracy");
    table.add("folds", options.folds,
              "a number a row: nearest neighbours are looked for in other folds only");
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

void add_embedding_figures(const Options& options, const Labels& clusters, const Labels& truth,
                           store::Provenance& provenance, Figures& figures,
                           const comm::Communicator& world) {
    const auto embedding = store::read_matrix<double>(options.embedding, world);
    check_rows(embedding.rows.total, options.embedding, clusters, options.clusters);
    Labels folds;
    if (!options.folds.empty()) {
        folds = store::read_labels(options.folds, world);
        check_rows(std::ssize(folds), options.folds, clusters, options.clusters);
    }
    {
        const auto scope = provenance.phases().measure("score/silhouette");
        figures.emplace_back("silhouette", cluster::silhouette(embedding, clusters, world));
    }
    const auto scope = provenance.phases().measure("score/nearest_neighbours");
    figures.emplace_back("nearest_neighbour_accuracy",
                         cluster::nearest_neighbour_accuracy(embedding, truth, folds, world));
}

std::string json_of(const cluster::Scores& scores, std::int64_t rows, const Labels& clusters,
                    const Figures& figures, const store::Provenance& provenance) {
    nlohmann::ordered_json document;
    document["rows"] = rows;
    document["rows_scored"] = scores.rows;
    document["clusters"] = scores.clusters;
    document["classes"] = scores.classes;
    document["noise"] = std::count(clusters.begin(), clusters.end(), -1);
    for (const auto& [name, value] : figures)
        document[name] = std::isfinite(value) ? nlohmann::ordered_json(value) : nullptr;
    document["provenance"] = nlohmann::ordered_json::parse(provenance.json());
    return document.dump(2) + "\n";
}

void print_table(const cluster::Scores& scores, const Figures& figures) {
    base::print(fmt::format("{} rows, {} clusters, {} classes", scores.rows, scores.clusters,
                            scores.classes));
    for (const auto& [name, value] : figures)
        base::print(fmt::format("  {:<28}{:>9}", name,
                                std::isfinite(value) ? fmt::format("{:.6f}", value) : "undefined"));
}

}  // namespace

int run_score(const Arguments& arguments, const comm::Communicator& world) {
    Options options;
    auto table = describe(options);
    if (table.parse(arguments) == base::Parsed::done) return comm::exit_status::done;
    store::check_output(options.output, world);
    VALIDATE(options.folds.empty() || !options.embedding.empty(),
             "--folds is given without --embedding (it is for nearest neighbours); give both");

    store::Provenance provenance(table, world);
    for (const auto& source : {options.clusters, options.truth, options.embedding, options.folds})
        if (!source.empty()) provenance.add_input(store::file_of_source(source));
    const auto clusters = store::read_labels(options.clusters, world);
    const auto truth = store::read_labels(options.truth, world);
    check_rows(std::ssize(truth), options.truth, clusters, options.clusters);

    const auto scores =
        is_corpus(options.truth, world)
            ? cluster::compare(where_labelled(clusters, truth), where_labelled(truth, truth))
            : cluster::compare(clusters, truth);
    auto figures = figures_of(scores);
    if (!options.embedding.empty())
        add_embedding_figures(options, clusters, truth, provenance, figures, world);
    store::publish_text(options.output,
                        json_of(scores, std::ssize(clusters), clusters, figures, provenance),
                        world);
    print_table(scores, figures);
    return comm::exit_status::done;
}

}  // namespace nanoatlas::jobs
