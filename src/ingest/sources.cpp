#include "ingest/sources.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <queue>

#include "base/check.hpp"

namespace nanoatlas::ingest {
namespace {

// Measured on one core: a file costs about 0.2 ms whatever is in it; a byte of a compressed image
// (some 5 pixels) about 20 ns, a byte of a plain one 3 ns.
constexpr double seconds_per_file = 2e-4;
constexpr double seconds_per_packed_byte = 2e-8, seconds_per_plain_byte = 3e-9;

bool is_packed(const std::string& path) {
    return !path.ends_with(".tif") && !path.ends_with(".tiff") && !path.ends_with(".TIF");
}

void broadcast(std::vector<std::int64_t>& numbers, const comm::Communicator& comm) {
    const auto count = comm.broadcast(static_cast<std::int64_t>(numbers.size()));
    numbers.resize(static_cast<std::size_t>(count));
    comm.broadcast(std::span(numbers));
}

std::vector<image::Source> broadcast(const std::vector<image::Source>& sources,
                                     const comm::Communicator& comm) {
    std::vector<std::string> texts;
    std::vector<std::int64_t> numbers;
    for (const auto& source : sources) {
        texts.insert(texts.end(),
                     {source.path, source.relative, source.folder_label, source.sidecar});
        numbers.insert(numbers.end(), {source.idx, source.bytes, source.in_test_set ? 1 : 0});
    }
    texts = comm.broadcast(texts);
    broadcast(numbers, comm);
    std::vector<image::Source> received;
    for (std::size_t i = 0; 4 * i < texts.size(); ++i)
        received.push_back({.path = texts[4 * i],
                            .relative = texts[4 * i + 1],
                            .folder_label = texts[4 * i + 2],
                            .sidecar = texts[4 * i + 3],
                            .idx = numbers[3 * i],
                            .bytes = numbers[3 * i + 1],
                            .in_test_set = numbers[3 * i + 2] != 0});
    return received;
}

std::vector<image::Rejected> broadcast(const std::vector<image::Rejected>& rejected,
                                       const comm::Communicator& comm) {
    std::vector<std::string> texts;
    for (const auto& [path, cause] : rejected) texts.insert(texts.end(), {path, cause});
    texts = comm.broadcast(texts);
    std::vector<image::Rejected> received;
    for (std::size_t i = 0; i < texts.size(); i += 2) received.push_back({texts[i], texts[i + 1]});
    return received;
}

}  // namespace

image::Listing list_sources(const std::vector<std::string>& given, const comm::Communicator& comm) {
    image::Listing listing;
    comm.on_root([&] {
        listing = image::list_sources(given);
        const auto first =
            listing.rejected.empty()
                ? std::string()
                : fmt::format("; '{}' {}", listing.rejected[0].path, listing.rejected[0].cause);
        VALIDATE(
            !listing.sources.empty(),
            "cannot ingest '{}' (it holds no TIFF, JPEG, PNG or IDX image; {} other files were "
            "passed over{}); give the folder that holds the images",
            fmt::join(given, " "), listing.passed_over, first);
    });
    return {.sources = broadcast(listing.sources, comm),
            .rejected = broadcast(listing.rejected, comm),
            .passed_over = comm.broadcast(listing.passed_over)};
}

double decoding_cost(const image::Source& source) {
    const bool packed = source.idx < 0 && is_packed(source.path);
    return seconds_per_file + static_cast<double>(source.bytes) *
                                  (packed ? seconds_per_packed_byte : seconds_per_plain_byte);
}

Shares::Shares(const std::vector<image::Source>& sources, int ranks)
    : share_(static_cast<std::size_t>(ranks)), cost_(static_cast<std::size_t>(ranks)) {
    std::vector<double> cost;
    cost.reserve(sources.size());
    for (const auto& source : sources) cost.push_back(decoding_cost(source));
    std::vector<std::int64_t> order(sources.size());
    std::iota(order.begin(), order.end(), std::int64_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
        return cost[static_cast<std::size_t>(a)] > cost[static_cast<std::size_t>(b)];
    });
    using Load = std::pair<double, int>;  // cost so far, rank
    std::priority_queue<Load, std::vector<Load>, std::greater<>> ranks_by_load;
    for (int rank = 0; rank < ranks; ++rank) ranks_by_load.emplace(0, rank);
    for (const auto i : order) {
        const auto [load, rank] = ranks_by_load.top();
        ranks_by_load.pop();
        share_[static_cast<std::size_t>(rank)].push_back(i);
        cost_[static_cast<std::size_t>(rank)] = load + cost[static_cast<std::size_t>(i)];
        ranks_by_load.emplace(load + cost[static_cast<std::size_t>(i)], rank);
    }
}

}  // namespace nanoatlas::ingest
