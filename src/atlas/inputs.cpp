#include "atlas/inputs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>
#include <unordered_map>
#include <utility>

#include "atlas/dimension_chart.hpp"
#include "base/check.hpp"
#include "base/log.hpp"
#include "base/path_parts.hpp"
#include "cluster/neighbour_file.hpp"
#include "comm/communicator.hpp"
#include "store/corpus.hpp"
#include "store/matrix.hpp"

namespace nanoatlas::atlas {
namespace {

// Answers of classify that are no classes of the network: "Nanowires/?" is one above them.
constexpr std::string_view none_of_these = "none of these", open_end = "/?";

void read_corpus(const std::string& path, Inputs& inputs) {
    const store::CorpusReader corpus(path);
    inputs.rows = corpus.rows();
    inputs.height = corpus.height();
    inputs.width = corpus.width();
    inputs.classes = corpus.classes();
    inputs.path = corpus.paths();
    inputs.label = corpus.labels();
    for (const auto part : corpus.parts()) inputs.part.push_back(static_cast<std::int32_t>(part));
    inputs.duplicate_of = corpus.duplicate_of();
    inputs.pixel_size = corpus.pixel_sizes();
    inputs.facts = read_facts(corpus);
    const auto paths = corpus.reject_paths(), causes = corpus.reject_causes();
    for (std::size_t i = 0; i < paths.size(); ++i) inputs.rejects.push_back({paths[i], causes[i]});
    VALIDATE(inputs.rows > 0,
             "cannot report on corpus '{}': it holds no images ({} were rejected); "
             "look at `nanoatlas info {}`",
             path, inputs.rejects.size(), path);
    const auto classes = static_cast<std::int32_t>(inputs.classes.size());
    for (std::size_t i = 0; i < inputs.label.size(); ++i)
        VALIDATE(inputs.label[i] < classes,
                 "cannot use corpus '{}': row {} has label {}, but there are {} classes; run "
                 "ingest again",
                 path, i, inputs.label[i], classes);
    inputs.sources.push_back({"corpus", path, corpus.file().provenance()});
}

void read_embedding(const std::string& source, Inputs& inputs) {
    auto matrix = store::read_matrix<float>(source, comm::Communicator::self());
    VALIDATE(matrix.rows.total == inputs.rows,
             "cannot draw embedding '{}': it has {} rows, the corpus has {} images; give the "
             "embedding that was made from this corpus",
             source, matrix.rows.total, inputs.rows);
    inputs.embedding = {
        .columns = matrix.columns, .values = std::move(matrix.values), .explained = {}};
    const std::string file = store::file_of_source(source);
    if (file.ends_with(".h5")) {
        const store::ArtefactReader artefact(file);
        if (artefact.has("explained_variance_ratio"))
            inputs.embedding.explained = artefact.read<double>("explained_variance_ratio");
        inputs.sources.push_back({"embedding", source, artefact.provenance()});
    } else {
        inputs.sources.push_back({"embedding", source, ""});
    }
}

/// A map of other rows can't be told from its number of rows, so it is told by what it was made of.
void check_origin(const store::ArtefactReader& map, const Inputs& inputs) {
    if (!map.has_attribute("matrix")) return;
    const store::Matrix<double> embedding{
        .rows = {.first = 0, .count = inputs.rows, .total = inputs.rows},
        .columns = inputs.embedding.columns,
        .values = {inputs.embedding.values.begin(), inputs.embedding.values.end()}};
    if (cluster::matrix_hash(embedding, comm::Communicator::self()) != map.text("matrix"))
        base::log_warning(fmt::format(
            "map '{}' was made of another matrix than the embedding: images that lie together on "
            "it need not be similar here; run reduce --method tsne on the embedding",
            map.path()));
}

void read_map(const std::string& source, Inputs& inputs) {
    const auto matrix = store::read_matrix<float>(source, comm::Communicator::self());
    VALIDATE(matrix.rows.total == inputs.rows,
             "cannot draw map '{}': it has {} rows, the corpus has {} images; give one that was "
             "made from this corpus",
             source, matrix.rows.total, inputs.rows);
    VALIDATE(matrix.columns == 2,
             "cannot draw map '{}': it has {} columns where 2 belong; run reduce --components 2",
             source, matrix.columns);
    Placement placement;
    for (std::int64_t i = 0; i < matrix.rows.total; ++i) {
        placement.x.push_back(matrix.row(i)[0]);
        placement.y.push_back(matrix.row(i)[1]);
    }
    std::string provenance;
    if (const auto file = store::file_of_source(source); file.ends_with(".h5")) {
        const store::ArtefactReader artefact(file);
        check_origin(artefact, inputs);
        if (artefact.has_attribute("method")) placement.method = artefact.text("method");
        if (artefact.has("kept_neighbours") && artefact.rows("kept_neighbours") == inputs.rows)
            placement.kept = artefact.read<double>("kept_neighbours");
        provenance = artefact.provenance();
    }
    inputs.placement = std::move(placement);
    inputs.sources.push_back({"map", source, provenance});
}

template <class T>
std::vector<T> read_column(const store::ArtefactReader& file, const std::string& name,
                           std::int64_t rows) {
    if (!file.has(name)) return {};
    VALIDATE(file.rows(name) == rows,
             "cannot use clusters '{}': /{} has {} rows where {} belong (it was made from another "
             "embedding); run cluster again",
             file.path(), name, file.rows(name), rows);
    return file.read<T>(name);
}

/// Of more peaks than clusters, and how they merge; stays empty where the file has none.
void read_merge_tree(const store::ArtefactReader& file, Inputs& inputs) {
    if (!file.has("merge_tree/label")) return;
    auto& tree = inputs.clusters.tree;
    tree.peak = read_column<std::int32_t>(file, "merge_tree/label", inputs.rows);
    tree.centre = file.read<std::int64_t>("merge_tree/centres");
    tree.nodes = file.read<std::int32_t>("merge_tree/nodes");
    tree.significance = file.read<double>("merge_tree/Z");
    const auto lies_in = [](auto value, std::int64_t count) { return value >= 0 && value < count; };
    bool fits =
        tree.nodes.size() == 2 * tree.significance.size() &&
        std::ranges::all_of(tree.centre, [&](auto v) { return lies_in(v, inputs.rows); }) &&
        std::ranges::all_of(tree.peak, [&](auto v) { return lies_in(v, std::ssize(tree.centre)); });
    for (std::size_t i = 0; fits && i < tree.nodes.size(); ++i)
        fits = lies_in(tree.nodes[i], std::ssize(tree.centre) + static_cast<std::int64_t>(i / 2));
    VALIDATE(fits, "cannot use clusters '{}': /merge_tree does not fit together; run cluster again",
             file.path());
}

/// Each row and cluster but the root leaves one cluster, one of a lower number, and something
/// leaves each cluster.
bool fits_together(const cluster::CondensedTree& tree) {
    if (tree.clusters < 1 || tree.child.size() != tree.lines() ||
        tree.lambda.size() != tree.lines() || tree.size.size() != tree.lines())
        return false;
    const auto numbers = tree.rows + tree.clusters;
    std::vector<char> is_child(static_cast<std::size_t>(numbers), 0), is_parent = is_child;
    for (std::size_t i = 0; i < tree.lines(); ++i) {
        const auto parent = tree.parent[i], child = tree.child[i];
        if (parent < tree.rows || parent >= numbers || child < 0 || child >= numbers ||
            (!tree.is_row(i) && child <= parent) || !(tree.lambda[i] >= 0) || tree.size[i] < 1 ||
            std::exchange(is_child[static_cast<std::size_t>(child)], 1) != 0)
            return false;
        is_parent[static_cast<std::size_t>(parent)] = 1;
    }
    return std::all_of(is_parent.begin() + tree.rows, is_parent.end(),
                       [](char is) { return is != 0; });
}

/// Stays empty where the file has none.
void read_condensed_tree(const store::ArtefactReader& file, Inputs& inputs) {
    if (!file.has("condensed_tree/parent")) return;
    auto& tree = inputs.clusters.condensed;
    auto& selected = inputs.clusters.selected;
    tree.rows = inputs.rows;
    tree.parent = file.read<std::int64_t>("condensed_tree/parent");
    tree.child = file.read<std::int64_t>("condensed_tree/child");
    tree.lambda = file.read<double>("condensed_tree/lambda");
    tree.size = file.read<std::int64_t>("condensed_tree/size");
    selected = file.read<std::int64_t>("selected");
    tree.clusters = std::ssize(tree.child) - tree.rows + 1;
    const bool fits = fits_together(tree) && std::ssize(selected) >= inputs.clusters.count &&
                      std::ranges::all_of(selected, [&](auto number) {
                          return number >= tree.rows && number < tree.rows + tree.clusters;
                      });
    VALIDATE(fits,
             "cannot use clusters '{}': /condensed_tree does not fit together; run cluster again",
             file.path());
}

void read_scan(const store::ArtefactReader& file, Scan& scan) {
    const bool is_of_sizes = file.has("scan/min_cluster_size");
    if (!is_of_sizes && !file.has("scan/Z")) return;
    scan.setting = is_of_sizes ? ScannedSetting::least_size : ScannedSetting::significance;
    scan.value = file.read<double>(is_of_sizes ? "scan/min_cluster_size" : "scan/Z");
    const auto count = std::ssize(scan.value);
    scan.clusters = read_column<double>(file, "scan/clusters", count);
    scan.noise = read_column<double>(file, "scan/noise", count);
    scan.persistence = read_column<double>(file, "scan/persistence", count);
    scan.validity = read_column<double>(file, "scan/validity", count);
    if (!file.has("scan/ari")) return;
    scan.ari = file.read<double>("scan/ari");
    scan.ami = file.read<double>("scan/ami");
    scan.subsample_clusters = file.read<double>("scan/subsample_clusters");
    VALIDATE(!scan.value.empty() && scan.ari.size() % scan.value.size() == 0 &&
                 scan.ami.size() == scan.ari.size() &&
                 scan.subsample_clusters.size() == scan.ari.size(),
             "cannot use clusters '{}': the datasets of /scan differ in length; run cluster again",
             file.path());
}

void read_clusters(const std::string& path, Inputs& inputs) {
    const store::ArtefactReader file(path, "clusters");
    auto& clusters = inputs.clusters;
    VALIDATE(file.has("label"), "cannot use clusters '{}': it has no /label; run cluster again",
             path);
    clusters.label = read_column<std::int32_t>(file, "label", inputs.rows);
    for (auto& label : clusters.label) {
        label = std::max(label, -1);
        clusters.count = std::max(clusters.count, label + 1);
    }
    clusters.log_density = read_column<double>(file, "log_density", inputs.rows);
    clusters.log_density_error = read_column<double>(file, "log_density_error", inputs.rows);
    clusters.halo = read_column<std::int32_t>(file, "halo", inputs.rows);
    clusters.probability = read_column<double>(file, "probability", inputs.rows);
    clusters.centres = read_column<std::int64_t>(file, "centres", clusters.count);
    for (std::size_t k = 0; k < clusters.centres.size(); ++k)
        VALIDATE(clusters.centres[k] >= 0 && clusters.centres[k] < inputs.rows,
                 "cannot use clusters '{}': the centre of cluster {} is row {} of {}; run cluster "
                 "again",
                 path, k, clusters.centres[k], inputs.rows);
    clusters.saddle_density = read_column<double>(file, "saddle_density", clusters.count);
    clusters.saddle_error = read_column<double>(file, "saddle_error", clusters.count);
    read_merge_tree(file, inputs);
    read_condensed_tree(file, inputs);
    read_scan(file, clusters.scan);
    if (file.has_attribute("intrinsic_dimension"))
        clusters.dimension = file.number("intrinsic_dimension");
    inputs.sources.push_back({"clusters", path, file.provenance()});
}

/// The place of a name in the list, behind it if it is new.
std::int32_t number_of(const std::string& name, std::vector<std::string>& names) {
    const auto place = std::find(names.begin(), names.end(), name) - names.begin();
    if (place == std::ssize(names)) names.push_back(name);
    return static_cast<std::int32_t>(place);
}

void read_predictions(const std::string& path, Inputs& inputs) {
    const store::ArtefactReader file(path, "predictions");
    const auto paths = file.read_strings("path");
    const auto labels = file.read<std::int32_t>("label");
    const auto probabilities = file.read<float>("probability");
    const auto count = inputs.path.size();
    Predictions predictions{
        .classes = file.read_strings("classes"),
        .label = std::vector<std::int32_t>(count, -1),
        .most_probable = std::vector<std::int32_t>(count, -1),
        .confidence = std::vector<float>(count, std::numeric_limits<float>::quiet_NaN())};
    const std::size_t classes = predictions.classes.size();
    VALIDATE(labels.size() == paths.size() && probabilities.size() == paths.size() * classes,
             "cannot use predictions '{}': its datasets differ in length; run classify again",
             path);
    std::unordered_map<std::string, std::size_t> row_of;
    for (std::size_t i = 0; i < paths.size(); ++i) row_of.emplace(paths[i], i);
    const auto answers = file.has("answer") ? file.read_strings("answer")
                                            : std::vector(paths.size(), std::string(none_of_these));
    bool any = false;
    for (std::size_t i = 0; i < count; ++i) {
        const auto found = row_of.find(inputs.path[i]);
        if (found == row_of.end()) continue;
        const std::size_t row = found->second;
        const auto label = labels[row];
        VALIDATE(label >= -1 && label < static_cast<std::int32_t>(classes),
                 "cannot use predictions '{}': row {} has class {} of {}; run classify again", path,
                 row, label, classes);
        const auto begin = probabilities.begin() + static_cast<std::ptrdiff_t>(row * classes);
        const auto best = std::max_element(begin, begin + static_cast<std::ptrdiff_t>(classes));
        predictions.most_probable[i] = static_cast<std::int32_t>(best - begin);
        predictions.confidence[i] = *best;
        predictions.label[i] = label >= 0 ? label : number_of(answers[row], predictions.classes);
        any = true;
    }
    VALIDATE(any,
             "cannot use predictions '{}': none of its paths is in the corpus (the first is "
             "'{}', the corpus begins with '{}'); classify the images of this corpus",
             path, paths.empty() ? "" : paths.front(), inputs.path.front());
    inputs.predictions = std::move(predictions);
    inputs.sources.push_back({"predictions", path, file.provenance()});
}

std::string read_json_object(const std::string& path, const char* what, Inputs& inputs) {
    if (path.empty()) return {};
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    VALIDATE(file.good(), "cannot read {} '{}': it is not there or not readable; check the path",
             what, path);
    const auto json = nlohmann::json::parse(text.str(), nullptr, false);
    VALIDATE(json.is_object(),
             "cannot use {} '{}': it is no JSON object; give the file that the "
             "job wrote",
             what, path);
    inputs.sources.push_back(
        {what, path, json.contains("provenance") ? json["provenance"].dump() : ""});
    return text.str();
}

}  // namespace

bool Predictions::has_answer(std::size_t row) const {
    return label[row] >= 0 && classes[static_cast<std::size_t>(label[row])] != none_of_these;
}

bool Inputs::is_right(std::size_t row, std::int32_t predicted) const {
    const std::string_view truth = classes[static_cast<std::size_t>(label[row])];
    std::string_view name = predictions->classes[static_cast<std::size_t>(predicted)];
    if (name.ends_with(open_end)) name.remove_suffix(open_end.size());
    return base::lies_in(name, truth) || base::lies_in(truth, name);
}

bool Inputs::has_labels() const {
    return std::any_of(label.begin(), label.end(), [](std::int32_t l) { return l >= 0; });
}

Inputs read_inputs(const ReportFiles& files) {
    Inputs inputs;
    read_corpus(files.corpus, inputs);
    read_embedding(files.embedding, inputs);
    if (!files.map.empty()) read_map(files.map, inputs);
    read_clusters(files.clusters, inputs);
    if (!files.predictions.empty()) read_predictions(files.predictions, inputs);
    inputs.metrics = read_json_object(files.metrics, "metrics", inputs);
    inputs.scores = read_json_object(files.scores, "scores", inputs);
    if (const auto json = read_json_object(files.dimension, "dimension", inputs); !json.empty())
        inputs.dimension = read_dimension(json, files.dimension);
    return inputs;
}

}  // namespace nanoatlas::atlas
