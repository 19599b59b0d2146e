// What `bench` can measure: each workload prepares its data and hands back the work to be timed.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "comm/communicator.hpp"
#include "jobs/network_options.hpp"

namespace nanoatlas::jobs {

struct BenchOptions {
    std::string what, input, folder;
    std::string arch = "resnet50";
    NetworkChoice network;
    std::string components = "50", hidden = "256";
    std::int64_t rows = 0, columns = 0;  ///< 0: as suits the workload
    int k = 100, maxk = 100, clusters = 50;
    std::int64_t min_cluster_size = 20;
    double significance = 1.65;
    std::int64_t batch = 32, size = 224, steps = 5, megabytes = 256;
    std::uint64_t seed = 1;
};

struct Workload {
    std::function<void()> run;  ///< collective; timed
    double amount = 0;          ///< how much of unit one run does, over all ranks
    const char* unit = "rows/s";
    std::function<void()> bare;  ///< the same amount as bare primitives; empty: not measured
    /// Makes what bare and layers need, once the peak memory of the runs is known.
    std::function<void()> prepare_bare = [] {};
    /// Where the time of all runs so far went, a table of objects; empty: not measured. Collective.
    std::function<nlohmann::ordered_json()> layers;
    std::vector<std::pair<std::string, std::int64_t>> sizes;  ///< of what was worked on
};

/// Names and makers, in the order of the help. A maker is collective.
using MakeWorkload = Workload (*)(const BenchOptions&, const comm::Communicator&);
const std::vector<std::pair<std::string, MakeWorkload>>& workloads();

Workload pca_workload(const BenchOptions& options, const comm::Communicator& world);
Workload neighbours_workload(const BenchOptions& options, const comm::Communicator& world);
Workload adp_workload(const BenchOptions& options, const comm::Communicator& world);
Workload hdbscan_workload(const BenchOptions& options, const comm::Communicator& world);
Workload kmeans_workload(const BenchOptions& options, const comm::Communicator& world);
Workload silhouette_workload(const BenchOptions& options, const comm::Communicator& world);
Workload train_workload(const BenchOptions& options, const comm::Communicator& world);
Workload extract_workload(const BenchOptions& options, const comm::Communicator& world);
Workload autoencoder_workload(const BenchOptions& options, const comm::Communicator& world);
Workload allreduce_workload(const BenchOptions& options, const comm::Communicator& world);
Workload io_workload(const BenchOptions& options, const comm::Communicator& world);

}  // namespace nanoatlas::jobs
