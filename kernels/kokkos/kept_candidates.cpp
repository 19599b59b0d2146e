#include "kernels/kokkos/kept_candidates.hpp"

#include "kernels/kokkos/neighbour_pool.hpp"

namespace nanoatlas::kernels::kokkos {
namespace {

// Neighbours in space, whose candidates are the same in part.
constexpr std::size_t rows_at_once = 32;

// One pool, of one searcher after the other.
class Bench {
  public:
    KOKKOS_FUNCTION Bench(const Team& team, int k)
        : candidate_(team.team_scratch(1), static_cast<std::size_t>(PoolRoom::capacity(k))),
          upper_(team.team_scratch(1), PoolRoom::upper_size(k)),
          ranked_(team.team_scratch(1), PoolRoom::ranked_size(k)) {}

    static std::size_t size(int k) {
        return Scratch<std::int32_t>::shmem_size(static_cast<std::size_t>(PoolRoom::capacity(k))) +
               Scratch<std::int32_t>::shmem_size(PoolRoom::upper_size(k)) +
               Scratch<Ranked>::shmem_size(PoolRoom::ranked_size(k));
    }

    KOKKOS_FUNCTION PoolRoom room(float& limit, int& count) const {
        return {nullptr, candidate_.data(), &limit, &count, upper_.data(), ranked_.data()};
    }

  private:
    Scratch<std::int32_t> candidate_, upper_;
    Scratch<Ranked> ranked_;
};

}  // namespace

void rank_kept(const Searchers& searchers) {
    const std::size_t n = searchers.placed.count();
    if (n == 0 || searchers.kept.room == 0) return;
    const auto candidates = searchers_as_candidates(searchers);
    const PairBounds bounds(RoundingBound(searchers.placed.columns), searchers, candidates);
    auto policy = Teams(static_cast<int>((n + rows_at_once - 1) / rows_at_once), 1);
    policy.set_scratch_size(1, Kokkos::PerTeam(Bench::size(searchers.k)));
    Kokkos::parallel_for(
        "neighbours/rank_kept", policy, KOKKOS_LAMBDA(const Team& team) {
            const Bench bench(team, searchers.k);
            const std::size_t first = static_cast<std::size_t>(team.league_rank()) * rows_at_once;
            for (std::size_t p = first; p < Kokkos::min(n, first + rows_at_once); ++p) {
                float limit = 0;
                int count = 0;
                const auto room = bench.room(limit, count);
                NeighbourPool(searchers, candidates, bounds, room, p).rank_kept(0);
            }
        });
    Kokkos::fence();
}

}  // namespace nanoatlas::kernels::kokkos
