#include "cluster/stability.hpp"

#include <cmath>
#include <numeric>

#include "base/check.hpp"
#include "cluster/scores.hpp"
#include "cluster/subsample.hpp"

namespace nanoatlas::cluster {
namespace {

/// Labels at one setting, of the rows `rows`.
std::vector<std::int64_t> column(std::span<const std::int32_t> label, std::size_t columns,
                                 std::size_t at, std::span<const std::int64_t> rows) {
    std::vector<std::int64_t> values;
    values.reserve(rows.size());
    for (const auto row : rows)
        values.push_back(label[static_cast<std::size_t>(row) * columns + at]);
    return values;
}

}  // namespace

Stability measure_stability(std::span<const std::int32_t> label, const comm::RowBlock& rows,
                            std::size_t settings, const PartClusterer& cluster_part,
                            const StabilityOptions& options, const comm::Communicator& comm) {
    const auto count =
        static_cast<std::int64_t>(std::floor(options.share * static_cast<double>(rows.total)));
    VALIDATE(count >= 3,
             "--stability leaves {} of {} rows (clusters take at least 3); leave it out", count,
             rows.total);
    const auto trials = static_cast<std::size_t>(options.subsamples);
    Stability stability{.ari = std::vector<double>(settings * trials),
                        .ami = std::vector<double>(settings * trials),
                        .clusters = std::vector<std::int64_t>(settings * trials),
                        .subsamples = options.subsamples};
    const auto whole = comm.all_gather(label);
    std::vector<std::int64_t> all(static_cast<std::size_t>(count));
    std::iota(all.begin(), all.end(), 0);
    for (std::size_t t = 0; t < trials; ++t) {
        const auto kept = draw_rows(rows.total, count, options.seed, t);
        const auto part = cluster_part(kept);
        const auto labels = comm.all_gather(part.label);
        comm.on_root([&] {
            for (std::size_t s = 0; s < settings; ++s) {
                const auto scores =
                    compare(column(labels, settings, s, all), column(whole, settings, s, kept));
                stability.ari[s * trials + t] = scores.ari;
                stability.ami[s * trials + t] = scores.ami;
            }
        });
        for (std::size_t s = 0; s < settings; ++s)
            stability.clusters[s * trials + t] = part.clusters[s];
    }
    comm.broadcast(std::span<double>(stability.ari));
    comm.broadcast(std::span<double>(stability.ami));
    return stability;
}

}  // namespace nanoatlas::cluster
