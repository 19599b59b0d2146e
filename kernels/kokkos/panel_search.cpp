#include "kernels/kokkos/panel_search.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/kokkos/neighbour_pool.hpp"
#include "kernels/kokkos/panel_reach.hpp"

namespace nanoatlas::kernels::kokkos {
namespace {

// A few searchers at work on a block of candidates.
class Group {
  public:
    KOKKOS_FUNCTION Group(const Team& team, const PanelSearch& search, std::size_t first,
                          std::size_t count)
        : search_(search),
          count_(count),
          bound_(team.team_scratch(1), count * room(search.searchers.k)),
          candidate_(team.team_scratch(1), count * room(search.searchers.k)),
          limit_(team.team_scratch(1), count),
          pooled_(team.team_scratch(1), count),
          upper_(team.team_scratch(1), PoolRoom::upper_size(search.searchers.k)),
          ranked_(team.team_scratch(1), PoolRoom::ranked_size(search.searchers.k)),
          admitted_(team.team_scratch(1), (count + tile_left - 1) / tile_left),
          reach_(team, search.searchers.placed, search.values, search.panels, search.rounding,
                 first, count),
          pool_(search.searchers, search.candidates, search.bounds,
                {bound_.data(), candidate_.data(), limit_.data(), pooled_.data(), upper_.data(),
                 ranked_.data()},
                first) {}

    // The nearest shelf goes first and by itself, its nearest panels first, so that limits are low
    // when the others come.
    KOKKOS_FUNCTION void run() const {
        for (std::size_t g = 0; g < count_; ++g) pool_.start(g);
        search_nearest_first(reach_.shelf(0));
        for (std::size_t i = 1; i < search_.panels.shelves(); ++i) search_shelf(reach_.shelf(i));
        for (std::size_t g = 0; g < count_; ++g) pool_.finish(g);
    }

    static std::size_t scratch_size(std::size_t rows, const PanelSearch& search) {
        const int k = search.searchers.k;
        return Scratch<float>::shmem_size(rows * room(k)) +
               Scratch<std::int32_t>::shmem_size(rows * room(k)) +
               Scratch<float>::shmem_size(rows) + Scratch<int>::shmem_size(rows) +
               Scratch<std::int32_t>::shmem_size(PoolRoom::upper_size(k)) +
               Scratch<Ranked>::shmem_size(PoolRoom::ranked_size(k)) +
               Scratch<std::uint32_t>::shmem_size((rows + tile_left - 1) / tile_left) +
               PanelReach::scratch_size(rows, search.values.columns, search.panels.shelves());
    }

  private:
    using Tile = PanelReach::Tile;

    KOKKOS_FUNCTION static std::size_t room(int k) {
        return static_cast<std::size_t>(PoolRoom::capacity(k));
    }

    // Panel by panel, each from memory once for all strips that it may concern.
    KOKKOS_FUNCTION void search_shelf(std::size_t shelf) const {
        std::uint32_t any = 0;
        for (std::size_t strip = 0; strip < reach_.strips(); ++strip) {
            Tile distance2;
            admitted_(strip) = reach_.admit(strip, shelf, limit_.data(), distance2);
            any |= admitted_(strip);
        }
        for (std::size_t p = 0; p < tile_right; ++p) {
            if ((any >> p & 1U) == 0) continue;
            for (std::size_t strip = 0; strip < reach_.strips(); ++strip)
                if ((admitted_(strip) >> p & 1U) != 0) compare(strip, shelf * tile_right + p);
        }
    }

    // Strip by strip, the nearest panels first; each may put others out of reach.
    KOKKOS_FUNCTION void search_nearest_first(std::size_t shelf) const {
        for (std::size_t strip = 0; strip < reach_.strips(); ++strip) {
            Tile distance2;
            const auto admitted = reach_.admit(strip, shelf, limit_.data(), distance2);
            Ranked panel[tile_right];
            int count = 0;
            for (int p = 0; p < tile_right; ++p) {
                if ((admitted >> p & 1U) == 0) continue;
                float nearest = INFINITY;
                for (auto& of_searcher : distance2) nearest = Kokkos::min(nearest, of_searcher[p]);
                panel[count++] = {nearest, p};
            }
            insertion_sort(panel, count);
            for (int i = 0; i < count; ++i) {
                const auto p = static_cast<std::size_t>(panel[i].index);
                if (i == 0 ||
                    (reach_.within_reach(strip, shelf, limit_.data(), distance2) >> p & 1U) != 0)
                    compare(strip, shelf * tile_right + p);
            }
        }
    }

    // Offers a panel to the searchers of a strip.
    KOKKOS_FUNCTION void compare(std::size_t strip, std::size_t panel) const {
        Tile tile;
        dot_tile(reach_.strip_values(strip), search_.panels.values.block(panel),
                 search_.values.columns, tile);
        const float* norm2 = &search_.candidates.placed.norm2(panel * tile_right);
        const std::size_t first = strip * tile_left;
        for (std::size_t g = first; g < reach_.end_of_strip(strip); ++g) {
            const float own = reach_.norm2(g);
            float* bounds = tile[g - first];
#pragma omp simd
            for (int j = 0; j < tile_right; ++j)
                bounds[j] = search_.rounding.lower(own + norm2[j], bounds[j]);
            pool_.offer(g, bounds, panel * tile_right);
        }
    }

    const PanelSearch& search_;
    std::size_t count_;
    Scratch<float> bound_;             // [group, capacity]
    Scratch<std::int32_t> candidate_;  // [group, capacity]
    Scratch<float> limit_;             // [group]
    Scratch<int> pooled_;              // [group]
    Scratch<std::int32_t> upper_;
    Scratch<Ranked> ranked_;
    Scratch<std::uint32_t> admitted_;  // [strips] panels of the shelf in hand, a bit each
    PanelReach reach_;
    NeighbourPool pool_;
};

// Rows of a group: enough to make much of each tile of candidates that comes from memory, few
// enough for every thread to get some, and for their pools to stay below 8 MiB.
std::size_t rows_of_group(std::size_t n, int k) {
    const auto threads = static_cast<std::size_t>(Execution().concurrency());
    const std::size_t shared_out = n / (4 * threads) / tile_left * tile_left;
    const std::size_t pooled =
        (1U << 20) / static_cast<std::size_t>(PoolRoom::capacity(k)) / tile_left * tile_left;
    return std::clamp<std::size_t>(std::min(shared_out, pooled), tile_left, 21 * tile_left);
}

// Searchers [first, end).
void search_groups(const PanelSearch& search, std::size_t first, std::size_t end,
                   std::size_t group_rows) {
    const auto groups = static_cast<int>((end - first + group_rows - 1) / group_rows);
    auto policy = Teams(groups, 1);
    policy.set_scratch_size(1, Kokkos::PerTeam(Group::scratch_size(group_rows, search)));
    Kokkos::parallel_for(
        "neighbours/search", policy, KOKKOS_LAMBDA(const Team& team) {
            const std::size_t start =
                first + static_cast<std::size_t>(team.league_rank()) * group_rows;
            Group(team, search, start, Kokkos::min(group_rows, end - start)).run();
        });
    Kokkos::fence();
}

}  // namespace

void search_panels(const PanelSearch& search, const std::function<void(std::size_t rows)>& done) {
    const std::size_t n = search.searchers.placed.count();
    const std::size_t group_rows = rows_of_group(n, search.searchers.k);
    const std::size_t at_once =
        8 * group_rows * static_cast<std::size_t>(Execution().concurrency());
    for (std::size_t first = 0; first < n; first += at_once) {
        const std::size_t end = std::min(n, first + at_once);
        search_groups(search, first, end, group_rows);
        if (done) done(end - first);
    }
}

}  // namespace nanoatlas::kernels::kokkos
