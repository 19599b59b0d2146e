// nanoatlas neighbours: the nearest rows of each row of a matrix.
#include <fmt/format.h>

#include "base/log.hpp"
#include "base/options.hpp"
#include "cluster/neighbour_file.hpp"
#include "comm/session.hpp"
#include "jobs/jobs.hpp"
#include "store/output.hpp"
#include "store/provenance.hpp"

namespace nanoatlas::jobs {
namespace {

struct Options {
    std::string input, output = "neighbours.h5", metric = "euclidean";
    int k = 100;
};

base::OptionTable describe(Options& options) {
    base::OptionTable table("neighbours", "the nearest rows of each row of a matrix, exactly");
    table.add("input", options.input, "matrix: FILE.h5, FILE.h5:/dataset, .npy, .txt or .csv")
        .required();
    table.add("output", options.output, "neighbours.h5, for cluster --neighbours");
    table.add("k", options.k, "length of the lists");
    table
        .add("metric", options.metric,
             "euclidean, or cosine: the Euclidean distance of rows scaled to unit length")
        .choices({"euclidean", "cosine"});
    return table;
}

}  // namespace

int run_neighbours(const Arguments& arguments, const comm::Communicator& world) {
    Options options;
    auto table = describe(options);
    if (table.parse(arguments) == base::Parsed::done) return comm::exit_status::done;
    store::check_output(options.output, world);

    store::Provenance provenance(table, world);
    provenance.add_input(store::file_of_source(options.input));
    auto matrix = store::read_matrix<double>(options.input, world);
    const cluster::ListOrigin origin{cluster::metric_of(options.metric),
                                     cluster::matrix_hash(matrix, world)};
    if (origin.metric == cluster::Metric::cosine)
        matrix = cluster::unit_rows(std::move(matrix), world);
    const auto lists = [&] {
        const auto phase = provenance.phases().measure("cluster/neighbours");
        return cluster::find_neighbours(matrix, options.k, world);
    }();
    store::ArtefactWriter writer(options.output, "neighbours", world);
    cluster::write_neighbours(writer, lists, origin);
    writer.publish(provenance);
    base::print(fmt::format("{} neighbours of {} rows of {} columns, {} -> {}", options.k,
                            matrix.rows.total, matrix.columns, options.metric, options.output));
    return comm::exit_status::done;
}

}  // namespace nanoatlas::jobs
