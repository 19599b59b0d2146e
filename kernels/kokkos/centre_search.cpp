#include "kernels/kokkos/centre_search.hpp"

#include <Kokkos_Core.hpp>
#include <algorithm>
#include <cfloat>
#include <cmath>

#include "kernels/kokkos/squared_distance.hpp"

namespace nanoatlas::kernels::kokkos::centre_search {
namespace {

constexpr std::size_t tile_rows = row_tile_rows;
// Rows whose products with all centres are under way at a time: a multiple of tile_rows.
constexpr std::size_t group_rows = 48;
static_assert(group_rows % tile_rows == 0);

/// A run of rows at work: those that have lost their lead are compared with all centres.
class RowRun {
  public:
    KOKKOS_FUNCTION RowRun(const Team& team, const Rows& rows, const Centres& centres,
                           std::size_t first, std::size_t count)
        : rows_(rows),
          centres_(centres),
          first_(first),
          count_(count),
          active_(team.team_scratch(1), count),
          dot_(team.team_scratch(1), group_rows * centres.padded) {}

    static std::size_t scratch_size(std::size_t count, std::size_t padded) {
        return Scratch<std::int32_t>::shmem_size(count) +
               Scratch<float>::shmem_size(group_rows * padded);
    }

    /// Returns how many rows have changed their centre.
    KOKKOS_FUNCTION std::int64_t run() const {
        std::size_t active = 0;
        for (std::size_t i = first_; i < first_ + count_; ++i) {
            const auto label = rows_.label(i);
            // Rounded down: the lead is what is left at least.
            const float left =
                label < 0 ? -1 : (rows_.lead(i) - centres_.step(label)) * (1 - 0x1p-20F);
            rows_.lead(i) = left;
            active_(active) = static_cast<std::int32_t>(i);
            active += left > 0 ? 0 : 1;
        }
        std::int64_t changed = 0;
        for (std::size_t g = 0; g < active; g += group_rows) {
            const auto size = Kokkos::min(std::size_t{group_rows}, active - g);
            multiply(g, size);
            for (std::size_t r = 0; r < size; ++r)
                changed += decide(static_cast<std::size_t>(active_(g + r)),
                                  dot_.data() + r * centres_.padded);
        }
        return changed;
    }

  private:
    // dot[r, j] of active rows [g, g + size) with all centres, in parts of the columns.
    KOKKOS_FUNCTION void multiply(std::size_t g, std::size_t size) const {
        const auto columns = rows_.columns;
        for (std::size_t from = 0; from < columns; from += terms_at_once)
            for (std::size_t panel = 0; panel < centres_.padded; panel += width)
                for (std::size_t r = 0; r < size; r += tile_rows) {
                    const float* row[tile_rows];
                    for (std::size_t i = 0; i < tile_rows; ++i) {
                        const auto here = active_(g + Kokkos::min(r + i, size - 1));
                        row[i] =
                            &rows_.values(static_cast<std::size_t>(here) * rows_.stride + from);
                    }
                    float part[row_tile_rows][row_tile_width];
                    row_tile(row, &centres_.panels(panel * columns + from * width),
                             Kokkos::min(std::size_t{terms_at_once}, columns - from), part);
                    for (std::size_t i = 0; i < tile_rows; ++i) {
                        float* to = &dot_((r + i) * centres_.padded + panel);
                        if (from == 0)
                            for (std::size_t j = 0; j < width; ++j) to[j] = part[i][j];
                        else
                            for (std::size_t j = 0; j < width; ++j) to[j] += part[i][j];
                    }
                }
    }

    // The nearest centre of a row from its products. Scores leave out the row's own norm.
    KOKKOS_FUNCTION std::int64_t decide(std::size_t row, float* score) const {
        const auto padded = centres_.padded;
        const float* norm2 = centres_.norm2.data();
        float best = FLT_MAX;
#pragma omp simd reduction(min : best)
        for (std::size_t j = 0; j < padded; ++j) {
            score[j] = norm2[j] - 2 * score[j];
            best = score[j] < best ? score[j] : best;
        }
        const float rounding =
            rows_.rounding.relative * (rows_.norm2(row) + centres_.largest_norm2) +
            rows_.rounding.absolute;
        const float limit = best + 2 * rounding;
        float second = INFINITY;
        int candidates = 0, nearest = 0;
#pragma omp simd reduction(min : second) reduction(+ : candidates, nearest)
        for (int j = 0; j < static_cast<int>(padded); ++j) {
            const int near = score[j] <= limit ? 1 : 0;
            const float other = near != 0 ? INFINITY : score[j];
            second = other < second ? other : second;
            candidates += near;
            nearest += near * j;  // its number, where there is one
        }
        if (candidates > 1) {
            nearest = nearest_by_f64(row, score, limit);
            rows_.lead(row) = 0;
        } else {
            const double norm = rows_.norm2(row);
            const double far = Kokkos::sqrt(Kokkos::max(norm + second - rounding, 0.0));
            const double near = Kokkos::sqrt(Kokkos::max(norm + best + rounding, 0.0));
            rows_.lead(row) = static_cast<float>((far - near) * (1 - 0x1p-20));
        }
        if (rows_.label(row) == nearest) return 0;
        rows_.label(row) = nearest;
        return 1;
    }

    KOKKOS_FUNCTION int nearest_by_f64(std::size_t row, const float* score, float limit) const {
        int nearest = -1;
        double least = 0;
        for (std::size_t j = 0; j < centres_.count; ++j) {
            if (score[j] > limit) continue;
            const double now = squared_distance(&rows_.given(row * rows_.columns),
                                                &centres_.values(j * rows_.columns), rows_.columns);
            if (nearest >= 0 && now >= least) continue;
            nearest = static_cast<int>(j);
            least = now;
        }
        return nearest;
    }

    const Rows& rows_;
    const Centres& centres_;
    std::size_t first_, count_;
    Scratch<std::int32_t> active_;
    Scratch<float> dot_;  // [group_rows, padded]
};

}  // namespace

std::int64_t assign_nearest(const Rows& rows, const Centres& centres) {
    const auto threads = static_cast<std::size_t>(Execution().concurrency());
    const auto block = std::clamp<std::size_t>(rows.count / (8 * threads), group_rows, 1024);
    auto policy = Teams(static_cast<int>((rows.count + block - 1) / block), 1);
    policy.set_scratch_size(1, Kokkos::PerTeam(RowRun::scratch_size(block, centres.padded)));
    std::int64_t changed = 0;
    Kokkos::parallel_reduce(
        "kmeans/assign", policy,
        KOKKOS_LAMBDA(const Team& team, std::int64_t& sum) {
            const auto first = static_cast<std::size_t>(team.league_rank()) * block;
            const auto count = Kokkos::min(block, rows.count - first);
            sum += RowRun(team, rows, centres, first, count).run();
        },
        changed);
    return changed;
}

}  // namespace nanoatlas::kernels::kokkos::centre_search
