#include "kernels/kokkos/pair_search.hpp"

#include <algorithm>

#include "kernels/kokkos/neighbour_pool.hpp"
#include "kernels/kokkos/pair_bounds.hpp"
#include "kernels/kokkos/rank_candidates.hpp"

namespace nanoatlas::kernels::kokkos {
namespace {

constexpr std::size_t strip_rows = short_strip, block_rows = pair_block_rows;
constexpr std::size_t block_strips = block_rows / strip_rows;
// Of columns: as many of two strips stay in the first cache, of two blocks in the second.
constexpr std::size_t pairs_at_once = 128;
// What comes next is fetched in so many shares as there are strips to multiply before.
constexpr std::size_t pairs_of_share = pairs_at_once / block_strips;
constexpr std::size_t strip_tile = strip_rows * strip_rows, pair_width = 2 * strip_rows;
// Pools take candidates by so many.
constexpr std::size_t panel_rows = tile_right, panel_strips = panel_rows / strip_rows;
constexpr std::size_t block_panels = block_rows / panel_rows;
static_assert(panel_rows % strip_rows == 0 && block_rows % panel_rows == 0);

/// Of all searchers.
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
          upper(team.team_scratch(1), PoolRoom::upper_size(k)),
          ranked(team.team_scratch(1), PoolRoom::ranked_size(k)) {}

    static std::size_t size(int k) {
        return Scratch<std::int32_t>::shmem_size(block_strips * block_strips * strip_tile) +
               Scratch<std::int32_t>::shmem_size(PoolRoom::upper_size(k)) +
               Scratch<Ranked>::shmem_size(PoolRoom::ranked_size(k));
    }

    Scratch<std::int32_t> sums;  // [block_strips, block_strips, strip_rows, strip_rows]
    Scratch<std::int32_t> upper;
    Scratch<Ranked> ranked;
};

struct Side {
    Searchers searchers;
    Candidates candidates;
    ShortRows rows;
    PairBounds bounds;
    Pools pools;

    Side(const SearchingSide& side, const RoundingBound& rounding)
        : searchers(side.searchers),
          candidates(side.candidates),
          rows(side.rows),
          bounds(rounding, searchers, candidates),
          pools(rows.step.extent(0), searchers.k) {}

    KOKKOS_FUNCTION std::size_t count() const { return searchers.placed.count(); }
    KOKKOS_FUNCTION std::size_t blocks() const { return (count() + block_rows - 1) / block_rows; }

    KOKKOS_FUNCTION NeighbourPool pool(const Bench& bench) const {
        return {searchers, candidates, bounds,
                PoolRoom{pools.bound.data(), pools.candidate.data(), pools.limit.data(),
                         pools.count.data(), bench.upper.data(), bench.ranked.data()},
                0};
    }
};

/// Blocks of the searchers `left` against those of other rows.
struct PairSearch {
    Side left;
    ShortRows others;
    RoundingBound rounding;

    KOKKOS_FUNCTION std::size_t other_count() const { return left.candidates.placed.count(); }
    KOKKOS_FUNCTION std::size_t other_blocks() const {
        return (other_count() + block_rows - 1) / block_rows;
    }

    /// Offers block b to the searchers of block a.
    KOKKOS_FUNCTION void compare(const Bench& bench, std::size_t a, std::size_t b) const {
        const auto pool = left.pool(bench);
        for_each_row(bench, a, b, [&](std::size_t own, std::size_t panel, const float* bounds) {
            if (own < left.count()) pool.offer(own, bounds, panel);
        });
    }

    /// And a to the searchers of b, which are those of `right`.
    KOKKOS_FUNCTION void compare(const Bench& bench, std::size_t a, std::size_t b,
                                 const Side& right) const {
        const auto pool = left.pool(bench), other_pool = right.pool(bench);
        for_each_row(bench, a, b, [&](std::size_t own, std::size_t panel, const float* bounds) {
            if (own >= left.count()) return;
            pool.offer(own, bounds, panel);
            other_pool.offer_to_each(panel, bounds, own);
        });
    }

  private:
    KOKKOS_FUNCTION static std::size_t strips_of(std::size_t block, const ShortRows& rows) {
        const std::size_t strips = rows.step.extent(0) / strip_rows;
        return Kokkos::min(std::size_t{block_strips}, strips - block * block_strips);
    }

    // Of block a with each panel of block b: offer(row, first of the panel, bounds).
    template <class Offer>
    KOKKOS_FUNCTION void for_each_row(const Bench& bench, std::size_t a, std::size_t b,
                                      const Offer& offer) const {
        multiply(bench, a, b);
        for (std::size_t p = 0; p < block_panels; ++p)
            for (std::size_t q = 0; q < block_panels; ++q) {
                const std::size_t own = a * block_rows + p * panel_rows;
                const std::size_t other = b * block_rows + q * panel_rows;
                if (own >= left.count() || other >= other_count()) continue;
                const PanelTerms terms(*this, other);
                for (std::size_t i = 0; i < panel_rows; ++i) {
                    float bounds[panel_rows];
                    bound(bench, p * panel_rows + i, q, own + i, terms, bounds);
                    offer(own + i, other, bounds);
                }
            }
    }

    KOKKOS_FUNCTION void multiply(const Bench& bench, std::size_t a, std::size_t b) const {
        multiply_pairs<false>(bench, a, b, 0);
        for (std::size_t first = pairs_at_once; first < left.rows.pairs; first += pairs_at_once)
            multiply_pairs<true>(bench, a, b, first);
    }

    template <bool adds>
    KOKKOS_FUNCTION void multiply_pairs(const Bench& bench, std::size_t a, std::size_t b,
                                        std::size_t first) const {
        const std::size_t a_strips = strips_of(a, left.rows), b_strips = strips_of(b, others);
        const std::size_t count = Kokkos::min(std::size_t{pairs_at_once}, left.rows.pairs - first);
        const bool is_last = first + count == left.rows.pairs;
        for (std::size_t q = 0; q < b_strips; ++q)
            for (std::size_t p = 0; p < a_strips; ++p) {
                const auto* own = left.rows.strip(a * block_strips + p) + first * pair_width;
                const auto* other = others.strip(b * block_strips + q) + first * pair_width;
                if (!is_last) fetch_share(own + pairs_at_once * pair_width, q);
                if (q + 1 < b_strips) fetch_share(other + others.stride * pair_width, p);
                short_products<adds>(own, other, count,
                                     bench.sums.data() + (p * block_strips + q) * strip_tile);
            }
    }

    KOKKOS_FUNCTION static void fetch_share(const std::int16_t* from, std::size_t share) {
        fetch_short_pairs(from + share * pairs_of_share * pair_width, pairs_of_share);
    }

    /// What bounds of all rows with a panel have in common.
    struct PanelTerms {
        float base[panel_rows], step[panel_rows];

        KOKKOS_FUNCTION PanelTerms(const PairSearch& search, std::size_t first) {
            for (std::size_t j = 0; j < panel_rows; ++j) {
                base[j] = search.rounding.lower(search.left.candidates.placed.norm2(first + j), 0);
                step[j] = 2 * search.others.step(first + j);
            }
        }
    };

    // Lower bounds of the squared distances of a row, number i of its block, and panel q of the
    // other: as RoundingBound::lower() says.
    KOKKOS_FORCEINLINE_FUNCTION void bound(const Bench& bench, std::size_t i, std::size_t q,
                                           std::size_t row, const PanelTerms& terms,
                                           float* bounds) const {
        const float own = (1 - rounding.relative) * left.searchers.placed.norm2(row);
        const float own_step = left.rows.step(row);
        const std::size_t tile = i / strip_rows * block_strips + q * panel_strips;
        const std::int32_t* sums =
            bench.sums.data() + tile * strip_tile + i % strip_rows * strip_rows;
        for (std::size_t s = 0; s < panel_strips; ++s, sums += strip_tile)
#pragma omp simd
            for (std::size_t j = 0; j < strip_rows; ++j) {
                const std::size_t at = s * strip_rows + j;
                bounds[at] = own + terms.base[at] -
                             own_step * (terms.step[at] * static_cast<float>(sums[j]));
            }
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

template <class Work>
void for_each_searcher(const char* name, const Side& side, const Work& work) {
    for_each_task(
        name, side.blocks(), side.searchers.k,
        KOKKOS_LAMBDA(const Bench& bench, std::size_t block) {
            const auto end = Kokkos::min(side.count(), (block + 1) * block_rows);
            for (std::size_t g = block * block_rows; g < end; ++g) work(side.pool(bench), g);
        });
}

void start(const Side& side) {
    for_each_searcher(
        "neighbours/start", side,
        KOKKOS_LAMBDA(const NeighbourPool& pool, std::size_t g) { pool.start(g); });
}

void finish(const Side& side) {
    for_each_searcher(
        "neighbours/hand_over", side,
        KOKKOS_LAMBDA(const NeighbourPool& pool, std::size_t g) { pool.hand_over(g); });
    const int k = side.searchers.k;
    rank_candidates(side.searchers, side.candidates.placed,
                    {PoolRoom::capacity(k), side.pools.candidate, side.pools.count});
}

PairSearch make_search(const SearchingSide& own, const ShortRows& others) {
    const auto rounding = short_rounding(own.rows, others);
    return {Side(own, rounding), others, rounding};
}

// Of n rows, those that are over after some of so many rounds.
void tell_round(const Done& done, std::size_t n, std::size_t round, std::size_t rounds) {
    if (done) done(n * (round + 1) / rounds - n * round / rounds);
}

}  // namespace

void search_pairs(const SearchingSide& own, const ShortRows& others, const Done& done) {
    const auto search = make_search(own, others);
    start(search.left);
    const std::size_t n = search.left.count(), blocks = search.left.blocks();
    const auto at_once = 4 * static_cast<std::size_t>(Execution().concurrency());
    for (std::size_t first = 0; first < blocks; first += at_once) {
        const std::size_t end = std::min(blocks, first + at_once);
        for_each_task(
            "neighbours/pairs", end - first, own.searchers.k,
            KOKKOS_LAMBDA(const Bench& bench, std::size_t task) {
                for (std::size_t b = 0; b < search.other_blocks(); ++b)
                    search.compare(bench, first + task, b);
            });
        if (done) done(std::min(n, end * block_rows) - first * block_rows);
    }
    finish(search.left);
}

// In the rounds of a tournament (Lucas, Récréations mathématiques 2 (1883)) each block meets one
// other, so that no two threads work on one pool. With an odd number one of them pauses.
void search_pairs_among(const SearchingSide& own, const Done& done) {
    const auto search = make_search(own, own.rows);
    start(search.left);
    const std::size_t blocks = search.left.blocks();
    for_each_task(
        "neighbours/pairs", blocks, own.searchers.k,
        KOKKOS_LAMBDA(const Bench& bench, std::size_t block) {
            search.compare(bench, block, block);
        });
    const std::size_t players = blocks + blocks % 2, rounds = players - 1;
    for (std::size_t round = 0; round < rounds; ++round) {
        for_each_task(
            "neighbours/pairs", players / 2, own.searchers.k,
            KOKKOS_LAMBDA(const Bench& bench, std::size_t task) {
                const std::size_t a = (round + task) % rounds;
                const std::size_t b = task == 0 ? rounds : (round + rounds - task) % rounds;
                if (a < blocks && b < blocks) search.compare(bench, a, b, search.left);
            });
        tell_round(done, search.left.count(), round, rounds);
    }
    finish(search.left);
}

// In the rounds of a Latin square each block of the shorter side meets one of the longer.
void search_pairs_between(const SearchingSide& own, std::size_t own_end,
                          const SearchingSide& visitors, std::size_t their_first,
                          const Done& done) {
    const auto search = make_search(own, visitors.rows);
    const Side right(visitors, search.rounding);
    start(search.left);
    start(right);
    const std::size_t left_blocks = (own_end + block_rows - 1) / block_rows;
    const std::size_t skipped = their_first / block_rows, right_blocks = right.blocks() - skipped;
    const std::size_t tasks = std::min(left_blocks, right_blocks);
    const std::size_t rounds = tasks == 0 ? 0 : std::max(left_blocks, right_blocks);
    for (std::size_t round = 0; round < rounds; ++round) {
        for_each_task(
            "neighbours/pairs", tasks, own.searchers.k,
            KOKKOS_LAMBDA(const Bench& bench, std::size_t task) {
                const std::size_t across = (round + task) % rounds;
                const bool fewer_left = tasks == left_blocks;
                search.compare(bench, fewer_left ? task : across,
                               skipped + (fewer_left ? across : task), right);
            });
        tell_round(done, own_end, round, rounds);
    }
    finish(search.left);
    finish(right);
}

}  // namespace nanoatlas::kernels::kokkos
