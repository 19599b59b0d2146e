// nanoatlas cluster: groups the rows of a matrix.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/log.hpp"
#include "comm/session.hpp"
#include "jobs/cluster_method.hpp"
#include "jobs/jobs.hpp"
#include "store/output.hpp"

namespace nanoatlas::jobs {
namespace {

struct NamedMethod {
    std::string name;
    std::unique_ptr<ClusterMethod> method;
};

std::array<NamedMethod, 4> all_methods(const std::shared_ptr<const SharedOptions>& shared) {
    return {{{"adp", make_adp(shared)},
             {"hdbscan", make_hdbscan(shared)},
             {"dp", make_dp(shared)},
             {"kmeans", make_kmeans(shared)}}};
}

struct Options {
    std::string input, output = "clusters.h5", method = "adp";
};

/// Groups on a map for looking at are partly the map's own.
void warn_of_map(const std::string& source) {
    const auto file = store::file_of_source(source);
    if (!file.ends_with(".h5")) return;
    const store::ArtefactReader artefact(file, store::ArtefactReader::any_hdf5);
    if (artefact.has_attribute("method") && artefact.text("method") == "tsne")
        base::log_warning(fmt::format(
            "'{}' is a t-SNE map: distances and densities on it are not those of the data, and "
            "clusters found on it may be its own; cluster the embedding that it was made of",
            source));
}

void write(const Options& options, const ClusterMethod& method, store::Provenance& provenance,
           const comm::Communicator& world) {
    const auto label = method.label();
    if (store::is_plain_table(options.output)) {
        const store::Matrix<std::int32_t> labels{method.rows(), 1, {label.begin(), label.end()}};
        store::write_plain_table(options.output, labels, world);
        return;
    }
    store::ArtefactWriter writer(options.output, "clusters", world);
    writer.write_rows<std::int32_t>("label", label, method.rows());
    method.write(writer);
    writer.attribute("method", options.method);
    writer.publish(provenance);
}

}  // namespace

int run_cluster(const Arguments& arguments, const comm::Communicator& world) {
    const auto shared = std::make_shared<SharedOptions>();
    auto methods = all_methods(shared);
    Options options;
    base::OptionTable table("cluster", "groups the rows of a matrix");
    table.add("input", options.input, "matrix: FILE.h5, FILE.h5:/dataset, .npy, .txt or .csv")
        .required();
    table
        .add("method", options.method,
             "adp: advanced density peaks; hdbscan; dp: density peaks of 2014; kmeans")
        .choices({"adp", "hdbscan", "dp", "kmeans"});
    table.add("output", options.output, "clusters.h5, or .csv or .npy for labels alone");
    table.add("k", shared->k,
              "kmeans, dp: number of clusters; dp alone: 0 for as many as stand out");
    table.add(
        "neighbours", shared->neighbours,
        "adp, hdbscan: lists of neighbours, made by the job of that name; default: found anew");
    table.add("stability", shared->subsamples,
              "adp, hdbscan: random parts of the rows (80 %) to cluster anew and compare; 0: none");
    for (auto& [name, method] : methods) method->add_options(table);
    if (table.parse(arguments) == base::Parsed::done) return comm::exit_status::done;
    auto& method = *std::find_if(methods.begin(), methods.end(), [&](const auto& known) {
                        return known.name == options.method;
                    })->method;
    method.validate();
    store::check_output(options.output, world);

    store::Provenance provenance(table, world);
    provenance.add_input(store::file_of_source(options.input));
    for (const auto& file : method.inputs()) provenance.add_input(file);
    auto matrix = store::read_matrix<double>(options.input, world);
    warn_of_map(options.input);
    method.run(std::move(matrix), provenance.phases(), world);
    method.print_summary(provenance, world);
    write(options, method, provenance, world);
    base::print(fmt::format("written to {}", options.output));
    return comm::exit_status::done;
}

}  // namespace nanoatlas::jobs
