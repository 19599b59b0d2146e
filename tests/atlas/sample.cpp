#include "tests/atlas/sample.hpp"

#include <limits>

#include "base/random.hpp"
#include "cluster/neighbour_file.hpp"
#include "comm/distribution.hpp"
#include "store/artefact.hpp"
#include "store/corpus.hpp"
#include "store/provenance.hpp"

namespace nanoatlas::testing {
namespace {

store::Provenance provenance(const comm::Communicator& comm) {
    return {base::OptionTable("test", "a sample"), comm};
}

int cluster_of(const Sample& sample, std::int64_t row) {
    return sample.has_noise && row % 7 == 6 ? -1 : static_cast<int>(row % sample.clusters);
}

std::string path_of(std::int64_t row) {
    const auto& name = hostile_names[static_cast<std::size_t>(row) % hostile_names.size()];
    return "folder/" + name + "/" + std::to_string(row) + ".tif";
}

void write_images(const std::string& path, const Sample& sample, const comm::Communicator& comm) {
    const auto block = comm::row_block(sample.images, comm);
    const auto side = static_cast<std::size_t>(sample.image_side);
    store::CorpusRows rows;
    rows.height = rows.width = sample.image_side;
    for (std::int64_t row = block.first; row < block.end(); ++row) {
        base::Random random(1, row);
        for (std::size_t pixel = 0; pixel < side * side; ++pixel)
            rows.images.push_back(static_cast<std::uint8_t>(random.below(256)));
        rows.row.push_back(row);
        rows.path.push_back(path_of(row));
        rows.checksum.push_back(random());
        rows.pixel_size.push_back(row % 5 == 0 ? std::numeric_limits<double>::quiet_NaN()
                                               : 1e-9 * static_cast<double>(1 + row));
        rows.scale.push_back({1, 1});
        rows.metadata.push_back(row % 4 == 0
                                    ? "{}"
                                    : R"({"magnification": )" + std::to_string(100 + row) +
                                          R"(, "detector": "<b>SE2", )" + R"("data_bar_height": )" +
                                          std::to_string(row % sample.clusters * 20) + "}");
    }
    store::CorpusTable table;
    table.classes = hostile_names;
    for (std::int64_t row = 0; row < sample.images; ++row) {
        table.label.push_back(sample.has_labels && row % 9 != 8 ? static_cast<int>(row % 5) : -1);
        table.group.push_back(row % sample.clusters);
        table.duplicate_of.push_back(row % 20 == 11 ? row - 3 : -1);
        table.part.push_back(static_cast<store::Part>(row % 3));
    }
    for (int i = 0; i < sample.rejects; ++i) {
        table.reject_path.push_back("bad/" + hostile_names[static_cast<std::size_t>(i) % 5]);
        table.reject_cause.push_back("no image <b>");
    }
    store::write_corpus(path, rows, table, provenance(comm), comm);
}

constexpr std::int64_t embedding_columns = 4;

std::vector<float> embedding_of(const Sample& sample) {
    std::vector<float> values;
    for (std::int64_t row = 0; row < sample.images; ++row) {
        base::Random random(2, row);
        const double away = 6.0 * cluster_of(sample, row);
        values.push_back(static_cast<float>(away + random.normal()));
        for (std::int64_t column = 1; column < embedding_columns; ++column)
            values.push_back(static_cast<float>(random.normal()));
    }
    return values;
}

void write_embedding(const std::string& path, const Sample& sample,
                     const comm::Communicator& comm) {
    store::ArtefactWriter writer(path, "embedding", comm);
    writer.write_whole<float>("embedding", embedding_of(sample),
                              {sample.images, embedding_columns});
    if (sample.has_variances)
        writer.write_whole<double>("explained_variance_ratio", std::vector<double>{.6, .2, .1, .05},
                                   {4});
    writer.publish(provenance(comm));
}

void write_map(const std::string& path, const Sample& sample, const comm::Communicator& comm) {
    std::vector<float> values, kept;
    for (std::int64_t row = 0; row < sample.images; ++row) {
        base::Random random(3, row);
        values.push_back(static_cast<float>(10 * (cluster_of(sample, row) % 2) + random.normal()));
        values.push_back(static_cast<float>(5 * cluster_of(sample, row) + random.normal()));
        kept.push_back(static_cast<float>(random.uniform()));
    }
    store::ArtefactWriter writer(path, "embedding", comm);
    writer.write_whole<float>("embedding", values, {sample.images, 2});
    writer.write_whole<float>("kept_neighbours", kept, {sample.images});
    writer.attribute("method", std::string("tsne"));
    const auto embedding = embedding_of(sample);
    const auto& alone = comm::Communicator::self();
    writer.attribute("matrix",
                     cluster::matrix_hash({.rows = comm::row_block(sample.images, alone),
                                           .columns = embedding_columns,
                                           .values = {embedding.begin(), embedding.end()}},
                                          alone));
    writer.publish(provenance(comm));
}

void write_topography(store::ArtefactWriter& writer, const Sample& sample) {
    const auto n = static_cast<std::size_t>(sample.images),
               k = static_cast<std::size_t>(sample.clusters);
    std::vector<double> density(n), error(n, .2), saddle(k * k, -100), saddle_error(k * k);
    std::vector<std::uint8_t> halo(n);
    std::vector<std::int64_t> centres(k);
    for (std::size_t row = 0; row < n; ++row) {
        density[row] = -static_cast<double>(row);
        halo[row] = row % 4 == 3;
    }
    for (std::size_t c = 0; c < k; ++c) centres[c] = static_cast<std::int64_t>(c);
    for (std::size_t c = 0; c + 1 < k; ++c) {
        const std::size_t a = c * k + c + 1, b = (c + 1) * k + c;
        saddle[a] = saddle[b] = -5 - static_cast<double>(c);
        saddle_error[a] = saddle_error[b] = .3;
    }
    writer.write_whole<double>("log_density", density, {sample.images});
    writer.write_whole<double>("log_density_error", error, {sample.images});
    writer.write_whole<std::uint8_t>("halo", halo, {sample.images});
    writer.write_whole<std::int64_t>("centres", centres, {sample.clusters});
    writer.write_whole<double>("saddle_density", saddle, {sample.clusters, sample.clusters});
    writer.write_whole<double>("saddle_error", saddle_error, {sample.clusters, sample.clusters});
    writer.attribute("intrinsic_dimension", 3.5);
}

/// Two peaks a cluster: of its even and of its odd rows; they merge at Z = 1 + cluster / 10, the
/// clusters at 3.
void write_scan(store::ArtefactWriter& writer, const Sample& sample) {
    const int clusters = sample.clusters;
    std::vector<std::int32_t> peak, nodes;
    std::vector<std::int64_t> centres;
    std::vector<double> significance;
    for (std::int64_t row = 0; row < sample.images; ++row)
        peak.push_back(2 * static_cast<std::int32_t>(row % clusters) +
                       static_cast<std::int32_t>(row / clusters % 2));
    for (int p = 0; p < 2 * clusters; ++p) centres.push_back(p / 2 + p % 2 * clusters);
    for (int k = 0; k < clusters; ++k) {
        nodes.insert(nodes.end(), {2 * k, 2 * k + 1});
        significance.push_back(1 + 0.1 * k);
    }
    for (int k = 1; k < clusters; ++k) {
        nodes.insert(nodes.end(), {k == 1 ? 2 * clusters : 3 * clusters + k - 2, 2 * clusters + k});
        significance.push_back(3);
    }
    writer.write_whole<std::int32_t>("merge_tree/label", peak, {sample.images});
    writer.write_whole<std::int64_t>("merge_tree/centres", centres, {std::ssize(centres)});
    writer.write_whole<std::int32_t>("merge_tree/nodes", nodes, {std::ssize(significance), 2});
    writer.write_whole<double>("merge_tree/Z", significance, {std::ssize(significance)});
    writer.write_whole<double>("scan/Z", std::vector<double>{0.5, 1, 2}, {3});
    writer.write_whole<std::int64_t>("scan/clusters", std::vector<std::int64_t>{6, 4, 3}, {3});
    const std::vector<double> agreement = {.5, .6, .8, .7, 1, 1};
    writer.write_whole<double>("scan/ari", agreement, {3, 2});
    writer.write_whole<double>("scan/ami", agreement, {3, 2});
    writer.write_whole<std::int64_t>("scan/subsample_clusters",
                                     std::vector<std::int64_t>{7, 6, 4, 5, 3, 3}, {3, 2});
}

/// Cluster after cluster parts from the rest at lambda 1, 2, ...; the rows of one leave it at
/// lambda 10, 10.1, ... in turn, noise at 0.5.
void write_condensed_tree(store::ArtefactWriter& writer, const Sample& sample) {
    const std::int64_t rows = sample.images;
    std::vector<std::int64_t> parent, child, size, selected;
    std::vector<double> lambda;
    const auto add = [&](std::int64_t from, std::int64_t who, double at, std::int64_t count) {
        parent.push_back(from);
        child.push_back(who);
        lambda.push_back(at);
        size.push_back(count);
    };
    std::vector<std::int64_t> members(static_cast<std::size_t>(sample.clusters));
    std::int64_t rest = 0;
    for (std::int64_t row = 0; row < rows; ++row)
        if (const auto k = cluster_of(sample, row); k >= 0) {
            ++members[static_cast<std::size_t>(k)];
            ++rest;
        }
    std::int64_t whole = rows, next = rows;
    for (int k = 0; k < sample.clusters; ++k) {
        const bool is_last = k + 1 == sample.clusters;
        const auto count = members[static_cast<std::size_t>(k)];
        selected.push_back(is_last ? whole : ++next);
        if (is_last) break;
        rest -= count;
        add(whole, next, 1 + k, count);
        add(whole, ++next, 1 + k, rest);
        whole = next;
    }
    for (std::int64_t row = 0; row < rows; ++row) {
        const auto k = cluster_of(sample, row);
        if (k < 0)
            add(rows, row, 0.5, 1);
        else
            add(selected[static_cast<std::size_t>(k)], row,
                10 + 0.1 * static_cast<double>(row / sample.clusters), 1);
    }
    const auto lines = std::ssize(parent);
    writer.write_whole<std::int64_t>("condensed_tree/parent", parent, {lines});
    writer.write_whole<std::int64_t>("condensed_tree/child", child, {lines});
    writer.write_whole<double>("condensed_tree/lambda", lambda, {lines});
    writer.write_whole<std::int64_t>("condensed_tree/size", size, {lines});
    writer.write_whole<std::int64_t>("selected", selected, {sample.clusters});
    writer.write_whole<std::int64_t>("scan/min_cluster_size", std::vector<std::int64_t>{5, 10, 20},
                                     {3});
    writer.write_whole<std::int64_t>("scan/clusters", std::vector<std::int64_t>{6, 4, 0}, {3});
    const double none = std::numeric_limits<double>::quiet_NaN();
    writer.write_whole<double>("scan/noise", std::vector<double>{.1, .2, 1}, {3});
    writer.write_whole<double>("scan/persistence", std::vector<double>{.3, .2, none}, {3});
    writer.write_whole<double>("scan/validity", std::vector<double>{.5, -.1, 0}, {3});
    const std::vector<double> agreement = {.5, .6, .8, .7, 1, 1};
    writer.write_whole<double>("scan/ari", agreement, {3, 2});
    writer.write_whole<double>("scan/ami", agreement, {3, 2});
    writer.write_whole<std::int64_t>("scan/subsample_clusters",
                                     std::vector<std::int64_t>{7, 6, 4, 5, 0, 1}, {3, 2});
}

void write_clusters(const std::string& path, const Sample& sample, const comm::Communicator& comm) {
    std::vector<std::int32_t> labels;
    for (std::int64_t row = 0; row < sample.images; ++row)
        labels.push_back(cluster_of(sample, row));
    store::ArtefactWriter writer(path, "clusters", comm);
    writer.write_whole<std::int32_t>("label", labels, {sample.images});
    if (sample.has_topography) write_topography(writer, sample);
    if (sample.has_scan) write_scan(writer, sample);
    if (sample.has_condensed_tree) write_condensed_tree(writer, sample);
    writer.publish(provenance(comm));
}

void write_predictions(const std::string& path, const Sample& sample,
                       const comm::Communicator& comm) {
    const auto classes = static_cast<std::int64_t>(hostile_names.size());
    std::vector<float> probability;
    std::vector<std::int32_t> label;
    std::vector<std::string> paths;
    for (std::int64_t row = 0; row < sample.images; ++row) {
        label.push_back(static_cast<std::int32_t>((row + row / 10) % classes));
        for (std::int64_t c = 0; c < classes; ++c)
            probability.push_back(c == label.back() ? .6F : .1F);
        paths.push_back(path_of(row));
    }
    store::ArtefactWriter writer(path, "predictions", comm);
    writer.write_whole<float>("probability", probability, {sample.images, classes});
    for (std::int64_t row = 0; sample.has_rejections && row < sample.images; row += 7)
        label[static_cast<std::size_t>(row)] = -1;
    writer.write_whole<std::int32_t>("label", label, {sample.images});
    writer.write_whole_strings("path", paths);
    writer.write_whole_strings("classes", hostile_names);
    writer.publish(provenance(comm));
}

}  // namespace

void write_sample(const std::string& folder, const Sample& sample, const comm::Communicator& comm) {
    write_images(folder + "/corpus.h5", sample, comm);
    write_embedding(folder + "/embedding.h5", sample, comm);
    write_clusters(folder + "/clusters.h5", sample, comm);
    if (sample.has_map) write_map(folder + "/map.h5", sample, comm);
    if (sample.has_predictions) write_predictions(folder + "/predictions.h5", sample, comm);
}

}  // namespace nanoatlas::testing
