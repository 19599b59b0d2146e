#include "kernels/kokkos/kept_candidates.hpp"

#include "kernels/kokkos/known_neighbours.hpp"

namespace nanoatlas::kernels::kokkos {
namespace {

// Neighbours in space, whose candidates are the same in part.
constexpr std::size_t searchers_at_once = 32;

/// Leaves what may still be a neighbour of the searcher at position p, and brings it into the list.
/// upper [KnownNeighbours::most(k)], ranked [2 * kept.room + k]: room to work in
KOKKOS_FUNCTION void rank_kept_of(const Searchers& searchers, std::size_t p, std::int32_t* upper,
                                  Ranked* ranked) {
    const auto& kept = searchers.kept;
    const KnownNeighbours known(searchers, p);
    const float limit = known.limit(upper);
    std::int32_t* candidate = &kept.candidate(kept.at(p));
    int count = 0;
    for (int i = 0; i < kept.count(p); ++i)
        if (kept.lower(kept.at(p) + static_cast<std::size_t>(i)) <= limit)
            candidate[count++] = candidate[i];
    kept.count(p) = 0;
    measure_rows(searchers.placed.values(p), searchers.placed, candidate, count, ranked);
    known.list(ranked, count, ranked + kept.room);
}

}  // namespace

void rank_kept(const Searchers& searchers) {
    const std::size_t n = searchers.placed.count();
    if (n == 0 || searchers.kept.room == 0) return;
    const auto bounds = static_cast<std::size_t>(KnownNeighbours::most(searchers.k));
    const auto ranked = static_cast<std::size_t>(2 * searchers.kept.room + searchers.k);
    auto policy = Teams(static_cast<int>((n + searchers_at_once - 1) / searchers_at_once), 1);
    policy.set_scratch_size(1, Kokkos::PerTeam(Scratch<std::int32_t>::shmem_size(bounds) +
                                               Scratch<Ranked>::shmem_size(ranked)));
    Kokkos::parallel_for(
        "neighbours/rank_kept", policy, KOKKOS_LAMBDA(const Team& team) {
            const Scratch<std::int32_t> upper(team.team_scratch(1), bounds);
            const Scratch<Ranked> room(team.team_scratch(1), ranked);
            const auto first = static_cast<std::size_t>(team.league_rank()) * searchers_at_once;
            for (std::size_t p = first; p < Kokkos::min(n, first + searchers_at_once); ++p)
                rank_kept_of(searchers, p, upper.data(), room.data());
        });
    Kokkos::fence();
}

}  // namespace nanoatlas::kernels::kokkos
