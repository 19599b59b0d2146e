// nanoatlas neighbours: the nearest rows of each row of a matrix.
#include "kernels/kokkos/neighbours.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include "base/check.hpp"
#include "base/log.hpp"
#include "base/memory.hpp"
#include "base/options.hpp"
#include "cluster/neighbour_file.hpp"
#include "comm/session.hpp"
#include "jobs/jobs.hpp"
#include "store/agree.hpp"
#include "store/output.hpp"
#include "store/provenance.hpp"

namespace nanoatlas::jobs {
namespace {

struct Options {
    std::string input, output = "neighbours.h5", metric = "euclidean", k = "at-most=100";
    double memory = 0;
};

base::OptionTable describe(Options& options) {
    base::OptionTable table("neighbours", "the nearest rows of each row of a matrix, exactly");
    table.add("input", options.input, "matrix: FILE.h5, FILE.h5:/dataset, .npy, .txt or .csv")
        .required();
    table.add("output", options.output, "neighbours.h5, for cluster --neighbours");
    table.add("k", options.k,
              "length of the lists, or at-most=N: N, or as many as there are other rows");
    table
        .add("memory", options.memory,
             "GB that each rank may take for it; a matrix that needs more stays in its file; 0: "
             "what is free, shared by the ranks of a node")
        .volatile_option();
    table
        .add("metric", options.metric,
             "euclidean, or cosine: the Euclidean distance of rows scaled to unit length")
        .choices({"euclidean", "cosine"});
    return table;
}

// --k, for so many rows; beyond them it is refused where the lists are found.
int list_length(const Options& options, std::int64_t rows) {
    constexpr std::string_view limit = "at-most=";
    const bool is_limit = options.k.starts_with(limit);
    const std::string number = is_limit ? options.k.substr(limit.size()) : options.k;
    int k = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), k);
    VALIDATE(error == std::errc() && end == number.data() + number.size() && k >= 1,
             "--k is '{}' (it counts the neighbours of a row); give a number of 1 or more, or "
             "at-most=N",
             options.k);
    return is_limit ? static_cast<int>(std::clamp<std::int64_t>(rows - 1, 1, k)) : k;
}

// Bytes that may be taken by this rank.
double budget(const Options& options, const comm::Communicator& world) {
    if (options.memory > 0) return 1e9 * options.memory;
    return world.min(0.8 * static_cast<double>(base::available_memory()) / world.node().size());
}

// Of so many rows a rank, each: in f64; twice in f32, as one that searches and one that is found,
// and so, if it is wide, in 16 bits; a few numbers more; in f64 twice while it passes round; of
// wide rows the candidates that each looks at, those that it keeps for the end, and a list on its
// way.
double bytes_a_row(std::int64_t columns, std::int64_t rows, int k) {
    const bool wide = columns >= std::int64_t{kernels::kokkos::wide_columns} ||
                      kernels::kokkos::may_compare_all(static_cast<std::size_t>(columns), rows, k);
    return static_cast<double>(columns) * (8 + 2 * 4 + (wide ? 2 * 2 : 0) + 2 * 8) + 16.0 * k + 64 +
           (wide ? 8.0 * (2 * k + 128) + 12.0 * (1.25 * k + 8) + 16.0 * k : 0);
}

int list_in_memory(const Options& options, store::ArtefactWriter& writer, base::PhaseTimes& phases,
                   const comm::Communicator& world) {
    auto matrix = store::read_matrix<double>(options.input, world);
    const cluster::ListOrigin origin{cluster::metric_of(options.metric),
                                     cluster::matrix_hash(matrix, world)};
    if (origin.metric == cluster::Metric::cosine)
        matrix = cluster::unit_rows(std::move(matrix), world);
    const auto phase = phases.measure("cluster/neighbours");
    const auto lists =
        cluster::find_neighbours(matrix, list_length(options, matrix.rows.total), world);
    cluster::write_neighbours(writer, lists, origin);
    return lists.k;
}

std::string hash_of(const store::MatrixFile& file, std::int64_t at_once,
                    const comm::Communicator& world) {
    cluster::MatrixHash hash(file.columns());
    const auto own = comm::row_block(file.rows(), world);
    store::agree_on_input(world, [&] {
        for (auto first = own.first; first < own.end(); first += at_once)
            hash.add(file.read(first, std::min(at_once, own.end() - first)), first);
    });
    return hash.digits(world);
}

void list_in_parts(const Options& options, const store::MatrixFile& file, int k,
                   std::int64_t at_once, store::ArtefactWriter& writer, base::PhaseTimes& phases,
                   const comm::Communicator& world) {
    const cluster::ListOrigin origin{cluster::metric_of(options.metric),
                                     hash_of(file, at_once, world)};
    const cluster::RowSource source{file.rows(), file.columns(),
                                    [&](std::int64_t first, std::int64_t count) {
                                        auto rows = file.read(first, count);
                                        if (origin.metric == cluster::Metric::cosine)
                                            cluster::make_unit_rows(rows, file.columns(), first);
                                        return rows;
                                    }};
    const auto phase = phases.measure("cluster/neighbours");
    cluster::NeighbourWriter lists(writer, file.rows(), k);
    cluster::find_neighbours_in_parts(
        source, k, at_once, [&](const auto& some) { lists.write(some); }, world);
    cluster::write_origin(writer, k, origin);
}

/// Collective. The length of the lists; none, and nothing done, if the matrix fits into memory or
/// can't stay in its file.
std::optional<int> list_out_of_core(const Options& options, store::ArtefactWriter& writer,
                                    base::PhaseTimes& phases, const comm::Communicator& world) {
    if (!store::can_stay_in_file(options.input)) return std::nullopt;
    const store::MatrixFile file(options.input, world);
    const int k = list_length(options, file.rows());
    const auto longest = (file.rows() + world.size() - 1) / world.size();
    const double row = bytes_a_row(file.columns(), longest, k);
    const auto fit = static_cast<std::int64_t>(budget(options, world) / row);
    if (longest <= fit) return std::nullopt;
    // Those that search and those that come by are apart, so half of each.
    const auto at_once = std::max<std::int64_t>(1, fit / 2);
    base::log_info(
        fmt::format("the matrix stays in its file; {} rows of a rank at a time", at_once));
    list_in_parts(options, file, k, at_once, writer, phases, world);
    return k;
}

}  // namespace

int run_neighbours(const Arguments& arguments, const comm::Communicator& world) {
    Options options;
    auto table = describe(options);
    if (table.parse(arguments) == base::Parsed::done) return comm::exit_status::done;
    store::check_output(options.output, world);

    store::Provenance provenance(table, world);
    provenance.add_input(store::file_of_source(options.input));
    store::ArtefactWriter writer(options.output, "neighbours", world);
    auto k = list_out_of_core(options, writer, provenance.phases(), world);
    if (!k) k = list_in_memory(options, writer, provenance.phases(), world);
    writer.publish(provenance);
    base::print(
        fmt::format("{} neighbours of each row, {} -> {}", *k, options.metric, options.output));
    return comm::exit_status::done;
}

}  // namespace nanoatlas::jobs
