#include "kernels/kokkos/searcher_lists.hpp"

#include "kernels/kokkos/known_neighbours.hpp"
#include "kernels/kokkos/rank_candidates.hpp"

namespace nanoatlas::kernels::kokkos {
namespace {

// A team's, which share its room to work in.
constexpr std::size_t searchers_at_once = 32;

/// Calls work(position, upper, ranked) for each searcher, with room to work in:
/// upper [KnownNeighbours::most(k)], ranked [2 * fresh + k] for so many that come to a list
template <class Work>
void for_each_searcher(const char* name, const Searchers& searchers, int fresh, const Work& work) {
    const std::size_t n = searchers.placed.count();
    if (n == 0) return;
    const auto bounds = static_cast<std::size_t>(KnownNeighbours::most(searchers.k));
    const auto ranked = static_cast<std::size_t>(2 * fresh + searchers.k);
    auto policy = Teams(static_cast<int>((n + searchers_at_once - 1) / searchers_at_once), 1);
    policy.set_scratch_size(1, Kokkos::PerTeam(Scratch<std::int32_t>::shmem_size(bounds) +
                                               Scratch<Ranked>::shmem_size(ranked)));
    Kokkos::parallel_for(
        name, policy, KOKKOS_LAMBDA(const Team& team) {
            const Scratch<std::int32_t> upper(team.team_scratch(1), bounds);
            const Scratch<Ranked> room(team.team_scratch(1), ranked);
            const auto first = static_cast<std::size_t>(team.league_rank()) * searchers_at_once;
            for (std::size_t p = first; p < Kokkos::min(n, first + searchers_at_once); ++p)
                work(p, upper.data(), room.data());
        });
    Kokkos::fence();
}

// By what is known in the end.
KOKKOS_FUNCTION void sift_kept(const Searchers& searchers, std::size_t p, std::int32_t* upper) {
    const auto& kept = searchers.kept;
    const float limit = KnownNeighbours(searchers, p).limit(upper);
    std::int32_t* candidate = kept.of(p);
    int count = 0;
    for (int i = 0; i < kept.count(p); ++i)
        if (kept.lower(kept.at(p) + static_cast<std::size_t>(i)) <= limit)
            candidate[count++] = candidate[i];
    kept.count(p) = count;
}

}  // namespace

DeviceView<float> limits_of(const Searchers& searchers) {
    DeviceView<float> limits("limits", searchers.placed.count());
    for_each_searcher(
        "neighbours/limits", searchers, 0,
        KOKKOS_LAMBDA(std::size_t p, std::int32_t * upper, Ranked*) {
            limits(searchers.placed.row(p)) = KnownNeighbours(searchers, p).limit(upper);
        });
    return limits;
}

void merge_lists(const Searchers& searchers, std::size_t first, const ListsView& lists) {
    const auto index = on_device(std::span<const std::int64_t>(lists.index));
    const auto squared = on_device(std::span<const double>(lists.squared));
    const auto found = on_device(std::span<const std::int32_t>(lists.found));
    const std::size_t count = lists.rows();
    for_each_searcher(
        "neighbours/merge", searchers, searchers.k,
        KOKKOS_LAMBDA(std::size_t p, std::int32_t*, Ranked * ranked) {
            const std::size_t row = searchers.placed.row(p);
            if (row < first || row >= first + count) return;
            const std::size_t from = searchers.list(row - first);
            const int fresh = found(row - first);
            for (int i = 0; i < fresh; ++i) {
                const auto at = from + static_cast<std::size_t>(i);
                ranked[i] = {squared(at), index(at)};
            }
            KnownNeighbours(searchers, p).list(ranked, fresh, ranked + searchers.k);
        });
}

void rank_kept(const Searchers& searchers) {
    const auto& kept = searchers.kept;
    if (kept.room == 0) return;
    for_each_searcher(
        "neighbours/sift_kept", searchers, 0,
        KOKKOS_LAMBDA(std::size_t p, std::int32_t * upper, Ranked*) {
            sift_kept(searchers, p, upper);
        });
    rank_candidates(searchers, searchers.placed, kept);
}

}  // namespace nanoatlas::kernels::kokkos
