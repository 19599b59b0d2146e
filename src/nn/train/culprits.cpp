#include "nn/train/culprits.hpp"

#include <algorithm>
#include <cmath>

namespace nanoatlas::nn {
namespace {

std::vector<std::int64_t> places_of_bad_values(const Batch& batch) {
    std::vector<std::int64_t> places;
    const auto elements = batch.images.size() / std::max<std::size_t>(batch.rows.size(), 1);
    for (std::size_t i = 0; i < batch.rows.size(); ++i) {
        const auto values = std::span(batch.images).subspan(i * elements, elements);
        if (!std::ranges::all_of(values, [](float value) { return std::isfinite(value); }))
            places.push_back(static_cast<std::int64_t>(i));
    }
    return places;
}

std::string names(const Batch& batch, std::span<const std::int64_t> places, const NameRow& name) {
    constexpr std::size_t most = 5;
    std::string text;
    for (const auto place : places.first(std::min(most, places.size()))) {
        const auto i = static_cast<std::size_t>(place);
        text += (text.empty() ? "" : ", ") + name(batch.rows[i]);
        if (!batch.other_rows.empty()) text += " mixed with " + name(batch.other_rows[i]);
    }
    return places.size() > most ? text + fmt::format(" and {} more", places.size() - most) : text;
}

}  // namespace

std::string culprits(const Batch& batch, std::span<const std::int64_t> not_finite,
                     const NameRow& name, const comm::Communicator& comm) {
    const auto bad_values = places_of_bad_values(batch);
    const bool by_values = comm.any(!bad_values.empty());
    const auto mine = names(batch, by_values ? bad_values : not_finite, name);
    const auto by_rank = comm.all_gather(std::vector<std::string>{mine});
    std::string text;
    for (std::size_t rank = 0; rank < by_rank.size(); ++rank)
        if (!by_rank[rank].empty())
            text += fmt::format("{}rank {}: {}", text.empty() ? "" : "; ", rank, by_rank[rank]);
    return text;
}

}  // namespace nanoatlas::nn
