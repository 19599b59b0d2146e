#include "kernels/kokkos/pair_search.hpp"

#include <algorithm>

#include "kernels/kokkos/neighbour_pool.hpp"
#include "kernels/kokkos/pair_bounds.hpp"

namespace nanoatlas::kernels::kokkos {
namespace {

constexpr std::size_t strip_rows = short_strip, block_strips = 8;
constexpr std::size_t block_rows = block_strips * strip_rows;
// Of columns: as many of two strips stay in the first cache, of two blocks in the second.
constexpr std::size_t pairs_at_once = 128;
constexpr std::size_t strip_tile = strip_rows * strip_rows;
// Pools take candidates by so many.
constexpr std::size_t panel_rows = tile_right, panel_strips = panel_rows / strip_rows;
constexpr std::size_t block_panels = block_rows / panel_rows;
static_assert(panel_rows % strip_rows == 0 && block_rows % panel_rows == 0);

/// The pools of all searchers.
struct Pools {
    DeviceView<float> bound, limit;
    DeviceView<std::int32_t> candidate;
    DeviceView<int> count;

    Pools(std::size_t n, int k)
        : bound("bound", n * static_cast<std::size_t>(PoolRoom::capacity(k))),
          limit("limit", n),
          candidate("candidate", bound.extent(0)),
          count("count", n) {}
};

/// What a team works with.
class Bench {
  public:
    KOKKOS_FUNCTION Bench(const Team& team, int k)
        : sums(team.team_scratch(1), block_strips * block_strips * strip_tile),
          bounds(team.team_scratch(1), panel_rows * panel_rows),
          turned(team.team_scratch(1), panel_rows * panel_rows),
          upper(team.team_scratch(1), PoolRoom::upper_size(k)),
          ranked(team.team_scratch(1), PoolRoom::ranked_size(k)) {}

    static std::size_t size(int k) {
        return Scratch<std::int32_t>::shmem_size(block_strips * block_strips * strip_tile) +
               2 * Scratch<float>::shmem_size(panel_rows * panel_rows) +
               Scratch<std::int32_t>::shmem_size(PoolRoom::upper_size(k)) +
               Scratch<Ranked>::shmem_size(PoolRoom::ranked_size(k));
    }

    Scratch<std::int32_t> sums;     // [block_strips, block_strips, strip_rows, strip_rows]
    Scratch<float> bounds, turned;  // [panel_rows, panel_rows] of one tile, and its transpose
    Scratch<std::int32_t> upper;
    Scratch<Ranked> ranked;
};

struct PairSearch {
    Searchers searchers;
    Candidates candidates;
    ShortRows own, others;
    PairBounds bounds;
    Pools pools;

    std::size_t own_blocks() const {
        return (searchers.placed.count() + block_rows - 1) / block_rows;
    }
    KOKKOS_FUNCTION std::size_t other_blocks() const {
        return (candidates.placed.count() + block_rows - 1) / block_rows;
    }

    KOKKOS_FUNCTION NeighbourPool pool(const Bench& bench) const {
        return {searchers, candidates, bounds,
                PoolRoom{pools.bound.data(), pools.candidate.data(), pools.limit.data(),
                         pools.count.data(), bench.upper.data(), bench.ranked.data()},
                0};
    }

    /// Offers block b to the searchers of block a; mutual: a to those of b, too.
    KOKKOS_FUNCTION void compare(const Bench& bench, std::size_t a, std::size_t b,
                                 bool mutual) const {
        add_products(bench, a, b);
        for (std::size_t p = 0; p < block_panels; ++p)
            for (std::size_t q = 0; q < block_panels; ++q)
                if (a * block_rows + p * panel_rows < searchers.placed.count() &&
                    b * block_rows + q * panel_rows < candidates.placed.count()) {
                    bound(bench, a, p, b, q);
                    offer(bench, a * block_rows + p * panel_rows, b * block_rows + q * panel_rows,
                          mutual);
                }
    }

  private:
    KOKKOS_FUNCTION static std::size_t strips_of(std::size_t block, const ShortRows& rows) {
        const std::size_t strips = rows.step.extent(0) / strip_rows;
        return Kokkos::min(std::size_t{block_strips}, strips - block * block_strips);
    }

    KOKKOS_FUNCTION void add_products(const Bench& bench, std::size_t a, std::size_t b) const {
        const std::size_t a_strips = strips_of(a, own), b_strips = strips_of(b, others);
        for (std::size_t i = 0; i < bench.sums.extent(0); ++i) bench.sums(i) = 0;
        for (std::size_t first = 0; first < own.pairs; first += pairs_at_once) {
            const std::size_t count = Kokkos::min(std::size_t{pairs_at_once}, own.pairs - first);
            const std::size_t skipped = first * 2 * strip_rows;
            for (std::size_t q = 0; q < b_strips; ++q)
                for (std::size_t p = 0; p < a_strips; ++p)
                    add_short_products(own.strip(a * block_strips + p) + skipped,
                                       others.strip(b * block_strips + q) + skipped, count,
                                       bench.sums.data() + (p * block_strips + q) * strip_tile);
        }
    }

    // Lower bounds of the squared distances of panel p of block a and panel q of block b.
    KOKKOS_FUNCTION void bound(const Bench& bench, std::size_t a, std::size_t p, std::size_t b,
                               std::size_t q) const {
        for (std::size_t i = 0; i < panel_rows; ++i) {
            const std::size_t row = a * block_rows + p * panel_rows + i;
            for (std::size_t s = 0; s < panel_strips; ++s) {
                const std::size_t p_strip = p * panel_strips + i / strip_rows;
                const std::size_t q_strip = q * panel_strips + s;
                const std::size_t first = b * block_rows + q_strip * strip_rows;
                bound_strip(row, first,
                            bench.sums.data() + (p_strip * block_strips + q_strip) * strip_tile +
                                i % strip_rows * strip_rows,
                            bench.bounds.data() + i * panel_rows + s * strip_rows);
            }
        }
    }

    KOKKOS_FUNCTION void bound_strip(std::size_t row, std::size_t first, const std::int32_t* sums,
                                     float* to) const {
        const float own_step = own.step(row), own_norm2 = searchers.placed.norm2(row);
        const float* step = &others.step(first);
        const float* norm2 = &candidates.placed.norm2(first);
#pragma omp simd
        for (std::size_t j = 0; j < strip_rows; ++j)
            to[j] = bounds.rounding.lower(own_norm2 + norm2[j],
                                          own_step * (step[j] * static_cast<float>(sums[j])));
    }

    // The bounds at hand.
    KOKKOS_FUNCTION void offer(const Bench& bench, std::size_t own_first, std::size_t other_first,
                               bool mutual) const {
        offer_rows(bench, bench.bounds.data(), own_first, searchers.placed.count(), other_first);
        if (!mutual) return;
        for (std::size_t i = 0; i < panel_rows; ++i)
            for (std::size_t j = 0; j < panel_rows; ++j)
                bench.turned(i * panel_rows + j) = bench.bounds(j * panel_rows + i);
        offer_rows(bench, bench.turned.data(), other_first, candidates.placed.count(), own_first);
    }

    KOKKOS_FUNCTION void offer_rows(const Bench& bench, const float* lower, std::size_t first,
                                    std::size_t end, std::size_t offered) const {
        const auto pools_here = pool(bench);
        for (std::size_t i = 0; i < panel_rows && first + i < end; ++i)
            pools_here.offer(first + i, lower + i * panel_rows, offered);
    }
};

template <class Work>
void for_each_task(const char* name, std::size_t tasks, int k, const Work& work) {
    if (tasks == 0) return;
    auto policy = Teams(static_cast<int>(tasks), 1);
    policy.set_scratch_size(1, Kokkos::PerTeam(Bench::size(k))).set_chunk_size(1);
    Kokkos::parallel_for(
        name, policy, KOKKOS_LAMBDA(const Team& team) {
            work(Bench(team, k), static_cast<std::size_t>(team.league_rank()));
        });
    Kokkos::fence();
}

void start(const PairSearch& search) {
    for_each_task(
        "neighbours/start", search.own_blocks(), search.searchers.k,
        KOKKOS_LAMBDA(const Bench& bench, std::size_t block) {
            const auto end = Kokkos::min(search.searchers.placed.count(), (block + 1) * block_rows);
            for (std::size_t g = block * block_rows; g < end; ++g) search.pool(bench).start(g);
        });
}

void finish(const PairSearch& search) {
    for_each_task(
        "neighbours/rank", search.own_blocks(), search.searchers.k,
        KOKKOS_LAMBDA(const Bench& bench, std::size_t block) {
            const auto end = Kokkos::min(search.searchers.placed.count(), (block + 1) * block_rows);
            for (std::size_t g = block * block_rows; g < end; ++g) search.pool(bench).finish(g);
        });
}

PairSearch make_search(const Searchers& searchers, const ShortRows& own,
                       const Candidates& candidates, const ShortRows& others) {
    return {searchers,
            candidates,
            own,
            others,
            PairBounds(short_rounding(own, others), searchers, candidates),
            Pools(own.step.extent(0), searchers.k)};
}

}  // namespace

void search_pairs(const Searchers& searchers, const ShortRows& own, const Candidates& candidates,
                  const ShortRows& others, const std::function<void(std::size_t rows)>& done) {
    const auto search = make_search(searchers, own, candidates, others);
    start(search);
    const std::size_t n = searchers.placed.count(), blocks = search.own_blocks();
    const auto at_once = 4 * static_cast<std::size_t>(Execution().concurrency());
    for (std::size_t first = 0; first < blocks; first += at_once) {
        const std::size_t end = std::min(blocks, first + at_once);
        for_each_task(
            "neighbours/pairs", end - first, searchers.k,
            KOKKOS_LAMBDA(const Bench& bench, std::size_t task) {
                for (std::size_t b = 0; b < search.other_blocks(); ++b)
                    search.compare(bench, first + task, b, false);
            });
        if (done) done(std::min(n, end * block_rows) - first * block_rows);
    }
    finish(search);
}

// In the rounds of a tournament (Lucas, Récréations mathématiques 2 (1883)) each block meets one
// other, so that no two threads work on one pool. With an odd number one of them pauses.
void search_pairs_among(const Searchers& searchers, const ShortRows& own,
                        const Candidates& candidates,
                        const std::function<void(std::size_t rows)>& done) {
    const auto search = make_search(searchers, own, candidates, own);
    start(search);
    const std::size_t n = searchers.placed.count(), blocks = search.own_blocks();
    for_each_task(
        "neighbours/pairs", blocks, searchers.k,
        KOKKOS_LAMBDA(const Bench& bench, std::size_t block) {
            search.compare(bench, block, block, false);
        });
    const std::size_t players = blocks + blocks % 2, rounds = players - 1;
    for (std::size_t round = 0; round < rounds; ++round) {
        for_each_task(
            "neighbours/pairs", players / 2, searchers.k,
            KOKKOS_LAMBDA(const Bench& bench, std::size_t task) {
                const std::size_t a = (round + task) % rounds;
                const std::size_t b = task == 0 ? rounds : (round + rounds - task) % rounds;
                if (a < blocks && b < blocks) search.compare(bench, a, b, true);
            });
        if (done) done(n * (round + 1) / rounds - n * round / rounds);
    }
    finish(search);
}

}  // namespace nanoatlas::kernels::kokkos
