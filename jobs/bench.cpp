// nanoatlas bench: how fast the parts are here, measured.
#include <omp.h>
#include <sys/resource.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/check.hpp"
#include "base/log.hpp"
#include "base/options.hpp"
#include "base/stopwatch.hpp"
#include "comm/session.hpp"
#include "jobs/bench_layers.hpp"
#include "jobs/bench_workloads.hpp"
#include "jobs/jobs.hpp"

namespace nanoatlas::jobs {
namespace {

struct Settings {
    BenchOptions bench;
    int repeat = 3;
    bool json = false;
};

std::vector<std::string> names() {
    std::vector<std::string> all;
    for (const auto& [name, make] : workloads()) all.push_back(name);
    return all;
}

base::OptionTable describe(Settings& settings) {
    auto& bench = settings.bench;
    base::OptionTable table("bench", "how fast the parts are here: bench WHAT");
    table.add("what", bench.what, "may also stand alone: nanoatlas bench pca")
        .required()
        .choices(names());
    table.add("input", bench.input,
              "pca, neighbours, adp, hdbscan, kmeans, silhouette, autoencoder: matrix to work on");
    table.add("rows", bench.rows, "rows of drawn data; 0: as many as peers were measured on");
    table.add("columns", bench.columns, "columns of drawn data");
    table.add("components", bench.components, "pca, autoencoder: columns that are left");
    table.add("hidden", bench.hidden, "autoencoder: units of the layers before the code, or none");
    table.add("k", bench.k, "neighbours: length of the lists");
    table.add("maxk", bench.maxk, "adp: length of the neighbour lists");
    table.add("Z", bench.significance, "adp: standard errors by which a peak must stand out");
    table.add("min-cluster-size", bench.min_cluster_size, "hdbscan: rows of the smallest cluster");
    table.add("clusters", bench.clusters, "kmeans, silhouette: clusters");
    table.add("arch", bench.arch, "train, extract: network");
    table.add("batch", bench.batch,
              "train, extract, autoencoder: images or rows of a step, over all ranks");
    table.add("size", bench.size, "train, extract: side of the images [pixels]");
    add_network_options(table, bench.network,
                        "train, extract, autoencoder: ", {"f32", "bf16", "int8"});
    table.add("steps", bench.steps, "train, extract, kmeans: steps of one measurement");
    table.add("megabytes", bench.megabytes, "allreduce, io: size of the data");
    table.add("folder", bench.folder, "io: where the files go; default: the temporary folder");
    table.add("seed", bench.seed, "of drawn data");
    table.add("repeat", settings.repeat, "measurements; the median counts");
    table.add("json", settings.json, "print one JSON object");
    return table;
}

/// Seconds of each run, of the slowest rank, ascending.
std::vector<double> measure(const std::function<void()>& run, int repeat,
                            const comm::Communicator& world) {
    std::vector<double> seconds;
    for (int i = 0; i < repeat; ++i) {
        world.barrier();
        const base::Stopwatch watch;
        run();
        seconds.push_back(world.max(watch.seconds()));
    }
    std::sort(seconds.begin(), seconds.end());
    return seconds;
}

double median(const std::vector<double>& ascending) {
    const auto n = ascending.size();
    return (ascending[(n - 1) / 2] + ascending[n / 2]) / 2;
}

/// The most that the processes of all ranks held at any time, added up.
std::int64_t peak_memory_bytes(const comm::Communicator& world) {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return world.sum(static_cast<std::int64_t>(usage.ru_maxrss) * 1024);
}

nlohmann::ordered_json config_of(const base::OptionTable& table, const Workload& workload) {
    nlohmann::ordered_json config;
    for (const auto& [name, value] : table.resolved())
        if (name != "what" && name != "json") config[name] = value;
    for (const auto& [name, value] : workload.sizes) config[name] = value;
    return config;
}

void print_result(const nlohmann::ordered_json& result, bool json) {
    if (json) return base::print(result.dump());
    const auto number = [&](const char* name) { return result[name].get<double>(); };
    base::print(fmt::format("{}: {:.4g} s (from {:.4g} to {:.4g}), {:.4g} {}",
                            result["bench"].get<std::string>(), number("seconds"),
                            number("seconds_min"), number("seconds_max"), number("rate"),
                            result["unit"].get<std::string>()));
    if (result.contains("ceiling"))
        base::print(fmt::format("bare primitives: {:.4g} {}", number("ceiling"),
                                result["unit"].get<std::string>()));
    base::print(fmt::format("{} ranks of {} threads, {:.0f} MB at most", result["ranks"].dump(),
                            result["threads"].dump(), number("peak_memory_bytes") / 1e6));
    if (result.contains("layers")) base::print(layer_text(result["layers"]));
}

}  // namespace

const std::vector<std::pair<std::string, MakeWorkload>>& workloads() {
    static const std::vector<std::pair<std::string, MakeWorkload>> all = {
        {"train", train_workload},
        {"extract", extract_workload},
        {"pca", pca_workload},
        {"neighbours", neighbours_workload},
        {"adp", adp_workload},
        {"hdbscan", hdbscan_workload},
        {"kmeans", kmeans_workload},
        {"silhouette", silhouette_workload},
        {"autoencoder", autoencoder_workload},
        {"allreduce", allreduce_workload},
        {"io", io_workload},
    };
    return all;
}

int run_bench(const Arguments& arguments, const comm::Communicator& world) {
    Settings settings;
    auto table = describe(settings);
    Arguments words = arguments;
    if (!words.empty() && !words[0].starts_with("--")) words.insert(words.begin(), "--what");
    if (table.parse(words) == base::Parsed::done) return comm::exit_status::done;
    VALIDATE(settings.repeat > 0, "--repeat is {}; give a number above 0", settings.repeat);

    const auto& known = workloads();
    const auto make = std::find_if(known.begin(), known.end(), [&](const auto& entry) {
                          return entry.first == settings.bench.what;
                      })->second;
    const auto workload = make(settings.bench, world);
    const auto seconds = measure(workload.run, settings.repeat, world);

    nlohmann::ordered_json result;
    result["bench"] = settings.bench.what;
    result["config"] = config_of(table, workload);
    result["seconds"] = median(seconds);
    result["seconds_min"] = seconds.front();
    result["seconds_max"] = seconds.back();
    result["rate"] = workload.amount / median(seconds);
    result["unit"] = workload.unit;
    result["peak_memory_bytes"] = peak_memory_bytes(world);
    workload.prepare_bare();
    if (world.all(static_cast<bool>(workload.bare)))
        result["ceiling"] =
            workload.amount / median(measure(workload.bare, settings.repeat, world));
    result["ranks"] = world.size();
    result["threads"] = omp_get_max_threads();
    if (workload.layers) result["layers"] = workload.layers();
    print_result(result, settings.json);
    return comm::exit_status::done;
}

}  // namespace nanoatlas::jobs
