#include "kernels/kokkos/nearest_centres.hpp"

#include <Kokkos_Core.hpp>
#include <algorithm>
#include <bit>
#include <cfloat>
#include <cmath>
#include <type_traits>

#include "kernels/kokkos/neighbour_rows.hpp"
#include "kernels/kokkos/row_tile.hpp"
#include "kernels/kokkos/squared_distance.hpp"
#include "kernels/kokkos/views.hpp"

namespace nanoatlas::kernels::kokkos {
namespace {

constexpr std::size_t tile_rows = row_tile_rows, width = row_tile_width;
// Rows whose products with all centres are under way at a time: a multiple of tile_rows.
constexpr std::size_t group_rows = 48;
static_assert(group_rows % tile_rows == 0);
// Terms summed in f32 at a stretch: a panel's part stays in the first cache.
constexpr std::size_t terms_at_once = 4096 / width;

using Policy = Kokkos::TeamPolicy<Execution, Kokkos::Schedule<Kokkos::Dynamic>>;
template <class T>
using Scratch = Kokkos::View<T*, Execution::scratch_memory_space, Kokkos::MemoryUnmanaged>;

/// A product of `columns` terms is summed in parts of terms_at_once, and these one after another.
RoundingBound rounding_of(std::size_t columns) {
    const auto parts = (columns + terms_at_once - 1) / terms_at_once;
    return RoundingBound(std::min(columns, terms_at_once) + parts);
}

/// Rows are so far apart that those of a group don't share the same few places in the caches.
std::size_t stride_of(std::size_t columns) {
    constexpr std::size_t line = 16;
    return columns % (16 * line) == 0 ? columns + line : columns;
}

/// Centres as the search sees them.
struct Centres {
    std::size_t count = 0, padded = 0;  ///< K, and with the last panel filled up
    SeenView<double> values;            // [K, columns]
    DeviceView<float> panels;           // [panels, columns, width] centred, scaled
    DeviceView<float> norm2;            // [padded] infinite beyond K
    DeviceView<float> step;             // [K] what a row of that cluster may lose of its lead
    float largest_norm2 = 0;
};

/// The rows, and what is known of each.
struct Rows {
    std::size_t count = 0, columns = 0, stride = 0;
    double factor = 1;
    RoundingBound rounding{0};
    SeenView<double> given;          // [n, columns]
    DeviceView<float> values;        // [n, stride] centred, scaled
    DeviceView<float> norm2;         // [n]
    DeviceView<float> lead;          // [n] how much nearer its centre is than any other, at least
    DeviceView<std::int32_t> label;  // [n]
};

/// A run of rows at work: those that have lost their lead are compared with all centres.
class RowRun {
  public:
    KOKKOS_FUNCTION RowRun(const Policy::member_type& team, const Rows& rows,
                           const Centres& centres, std::size_t first, std::size_t count)
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

/// How far each centre moved, rounded up, in scaled units; [K].
std::vector<double> moves(std::span<const double> from, std::span<const double> to,
                          std::size_t columns, double factor) {
    std::vector<double> move(to.size() / columns);
    for (std::size_t k = 0; k < move.size(); ++k)
        move[k] = std::sqrt(squared_distance(&from[k * columns], &to[k * columns], columns)) *
                  factor * (1 + 0x1p-20);
    return move;
}

/// What a row of each cluster may lose of its lead: its centre's move and the largest of another's.
std::vector<float> steps(const std::vector<double>& move) {
    std::size_t first = 0;
    for (std::size_t k = 1; k < move.size(); ++k)
        if (move[k] > move[first]) first = k;
    double second = 0;
    for (std::size_t k = 0; k < move.size(); ++k)
        if (k != first) second = std::max(second, move[k]);
    std::vector<float> step;
    for (std::size_t k = 0; k < move.size(); ++k)
        step.push_back(
            static_cast<float>((move[k] + (k == first ? second : move[first])) * (1 + 0x1p-20)));
    return step;
}

// On a host each thread has sums of its own; where threads are many they share one by atomics.
constexpr bool sums_by_thread =
    std::is_same_v<Execution::memory_space, Kokkos::HostSpace::memory_space>;

std::size_t copies_of_sums() {
    return sums_by_thread ? static_cast<std::size_t>(Execution().concurrency()) : 1;
}

/// sum[c] += sign * (value - origin) * scale, to the nearest whole number.
template <int sign = 1>
KOKKOS_INLINE_FUNCTION void add_row(const double* row, const double* origin, std::size_t columns,
                                    double scale, std::int64_t* sum) {
    // Next to the anchor doubles are 1 apart, so that the difference in bits is the number.
    constexpr double anchor = 0x1.8p52;
#pragma omp simd
    for (std::size_t c = 0; c < columns; ++c) {
        const double raised = (row[c] - origin[c]) * scale + anchor;
        const auto whole =
            sign * (std::bit_cast<std::int64_t>(raised) - std::bit_cast<std::int64_t>(anchor));
        if constexpr (sums_by_thread)
            sum[c] += whole;
        else
            Kokkos::atomic_add(sum + c, whole);
    }
}

DeviceView<float> uploaded(const std::vector<float>& values) {
    DeviceView<float> view("values", values.size());
    Kokkos::deep_copy(view, HostView<const float>(values.data(), values.size()));
    return view;
}

/// Values and norms of rows that are given.
void fill(const Rows& rows, const DeviceView<double>& centre) {
    const auto columns = rows.columns;
    for_each_row(
        "kmeans/rows", rows.count, KOKKOS_LAMBDA(const std::size_t i) {
            double sum = 0;
            for (std::size_t c = 0; c < columns; ++c) {
                const auto value =
                    static_cast<float>((rows.given(i * columns + c) - centre(c)) * rows.factor);
                rows.values(i * rows.stride + c) = value;
                sum += static_cast<double>(value) * static_cast<double>(value);
            }
            rows.norm2(i) = static_cast<float>(sum);
        });
    Kokkos::fence();
}

/// centre: of the frame; last: where the centres were, empty at first.
Centres make_centres(const Rows& rows, const DeviceView<double>& centre,
                     std::span<const double> values, std::span<const double> last) {
    const auto columns = rows.columns, clusters = values.size() / columns;
    const auto panels = (clusters + width - 1) / width;
    Centres made{.count = clusters,
                 .padded = panels * width,
                 .values = on_device(values),
                 .panels = DeviceView<float>("panels", panels * width * columns),
                 .norm2 = {},
                 .step = {},
                 .largest_norm2 = 0};
    const auto from = made.values;
    const auto to = made.panels;
    const auto factor = rows.factor;
    for_each_row(
        "kmeans/centres", clusters, KOKKOS_LAMBDA(const std::size_t k) {
            for (std::size_t c = 0; c < columns; ++c)
                to((k / width * columns + c) * width + k % width) =
                    static_cast<float>((from(k * columns + c) - centre(c)) * factor);
        });
    Kokkos::fence();
    const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, made.panels);
    std::vector<float> norm2(made.padded, INFINITY);
    for (std::size_t k = 0; k < clusters; ++k) {
        double sum = 0;
        for (std::size_t c = 0; c < columns; ++c) {
            const double value = host((k / width * columns + c) * width + k % width);
            sum += value * value;
        }
        norm2[k] = static_cast<float>(sum);
        made.largest_norm2 = std::max(made.largest_norm2, norm2[k]);
    }
    made.norm2 = uploaded(norm2);
    made.step = uploaded(last.empty() ? std::vector<float>(clusters)
                                      : steps(moves(last, values, columns, factor)));
    return made;
}

}  // namespace

struct NearestCentres::State {
    std::size_t clusters;
    FixedPoint fixed;
    Rows rows;
    DeviceView<double> centre;        // [columns] of the frame
    DeviceView<std::int32_t> summed;  // [n] labels when add_changes() was last called
    std::vector<double> last;         // [K, columns] where the centres were; empty: nowhere yet
    DeviceView<std::int64_t> sums;    // [copies, K, columns]
};

NearestCentres::NearestCentres(std::span<const double> given, const Frame& frame,
                               std::size_t clusters, std::int64_t total_rows) {
    const std::size_t columns = frame.centre.size(), n = given.size() / columns;
    state_ = std::make_unique<State>(
        State{.clusters = clusters,
              .fixed = FixedPoint(frame.largest, total_rows),
              .rows = {.count = n,
                       .columns = columns,
                       .stride = stride_of(columns),
                       .factor = std::exp2(-std::ceil(std::log2(frame.largest))),
                       .rounding = rounding_of(columns),
                       .given = on_device(given),
                       .values = DeviceView<float>("rows", n * stride_of(columns)),
                       .norm2 = DeviceView<float>("norm2", n),
                       .lead = DeviceView<float>("lead", n),
                       .label = DeviceView<std::int32_t>("label", n)},
              .centre = DeviceView<double>("centre", columns),
              .summed = DeviceView<std::int32_t>("summed", n),
              .last = {},
              .sums = DeviceView<std::int64_t>("sums", copies_of_sums() * clusters * columns)});
    Kokkos::deep_copy(state_->centre, HostView<const double>(frame.centre.data(), columns));
    restart();
    fill(state_->rows, state_->centre);
}

NearestCentres::~NearestCentres() = default;

void NearestCentres::restart() {
    Kokkos::deep_copy(state_->rows.label, -1);
    Kokkos::deep_copy(state_->summed, -1);
    state_->last.clear();
}

std::int64_t NearestCentres::assign(std::span<const double> centres) {
    const auto seen = make_centres(state_->rows, state_->centre, centres, state_->last);
    state_->last.assign(centres.begin(), centres.end());
    const auto rows = state_->rows;
    const auto threads = static_cast<std::size_t>(Execution().concurrency());
    const auto block = std::clamp<std::size_t>(rows.count / (8 * threads), group_rows, 1024);
    auto policy = Policy(static_cast<int>((rows.count + block - 1) / block), 1);
    policy.set_scratch_size(1, Kokkos::PerTeam(RowRun::scratch_size(block, seen.padded)));
    std::int64_t changed = 0;
    Kokkos::parallel_reduce(
        "kmeans/assign", policy,
        KOKKOS_LAMBDA(const Policy::member_type& team, std::int64_t& sum) {
            const auto first = static_cast<std::size_t>(team.league_rank()) * block;
            const auto count = Kokkos::min(block, rows.count - first);
            sum += RowRun(team, rows, seen, first, count).run();
        },
        changed);
    return changed;
}

std::vector<std::int32_t> NearestCentres::labels() const {
    std::vector<std::int32_t> labels(state_->rows.count);
    copy_back(state_->rows.label, std::span(labels));
    return labels;
}

void NearestCentres::set_label(std::size_t row, std::int32_t label) {
    Kokkos::deep_copy(Kokkos::subview(state_->rows.label, row), label);
    Kokkos::deep_copy(Kokkos::subview(state_->rows.lead, row), 0.0F);
}

std::vector<double> NearestCentres::squared_distances(std::span<const double> centres) const {
    std::vector<double> squares(state_->rows.count);
    const auto rows = state_->rows;
    const auto seen = on_device(centres);
    const auto to = room_on_device(std::span(squares));
    for_each_row(
        "kmeans/squares", rows.count, KOKKOS_LAMBDA(const std::size_t i) {
            const auto label = static_cast<std::size_t>(rows.label(i));
            to(i) = squared_distance(&rows.given(i * rows.columns), &seen(label * rows.columns),
                                     rows.columns);
        });
    Kokkos::fence();
    copy_back(to, std::span(squares));
    return squares;
}

void NearestCentres::add_changes(std::span<std::int64_t> sums, std::span<std::int64_t> counts) {
    const auto rows = state_->rows;
    const auto columns = rows.columns;
    const auto centre = state_->centre;
    const auto summed = state_->summed;
    const auto partial = state_->sums;
    const auto scale = state_->fixed.scale;
    const auto size = sums.size();
    Kokkos::deep_copy(partial, 0);
    const Kokkos::Experimental::UniqueToken<Execution> tokens;
    constexpr std::size_t run = sums_by_thread ? 256 : 1;
    for_each_row(
        "kmeans/sums", (rows.count + run - 1) / run, KOKKOS_LAMBDA(const std::size_t r) {
            const auto token = sums_by_thread ? tokens.acquire() : 0;
            std::int64_t* sum = partial.data() + static_cast<std::size_t>(token) * size;
            for (std::size_t i = r * run; i < Kokkos::min((r + 1) * run, rows.count); ++i) {
                if (rows.label(i) == summed(i)) continue;
                const double* row = &rows.given(i * columns);
                add_row(row, centre.data(), columns, scale,
                        sum + static_cast<std::size_t>(rows.label(i)) * columns);
                if (summed(i) >= 0)
                    add_row<-1>(row, centre.data(), columns, scale,
                                sum + static_cast<std::size_t>(summed(i)) * columns);
            }
            if (sums_by_thread) tokens.release(token);
        });
    Kokkos::fence();
    const auto change = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, partial);
    for (std::size_t i = 0; i < partial.extent(0); ++i) sums[i % size] += change(i);
    const auto before = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, summed);
    const auto now = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, rows.label);
    for (std::size_t i = 0; i < rows.count; ++i) {
        if (before(i) >= 0) --counts[static_cast<std::size_t>(before(i))];
        ++counts[static_cast<std::size_t>(now(i))];
    }
    Kokkos::deep_copy(summed, rows.label);
}

const FixedPoint& NearestCentres::fixed_point() const {
    return state_->fixed;
}

void least_squares_with(std::span<const double> rows, std::span<const double> candidates,
                        std::size_t columns, std::span<const double> least,
                        std::span<double> squares) {
    const auto n = least.size(), m = candidates.size() / columns;
    const auto row = on_device(rows);
    const auto candidate = on_device(candidates);
    const auto known = on_device(least);
    const auto to = room_on_device(squares);
    for_each_row(
        "kmeans/seed", n, KOKKOS_LAMBDA(const std::size_t i) {
            for (std::size_t t = 0; t < m; ++t)
                to(t * n + i) = Kokkos::min(
                    known(i),
                    squared_distance(&row(i * columns), &candidate(t * columns), columns));
        });
    Kokkos::fence();
    copy_back(to, squares);
}

}  // namespace nanoatlas::kernels::kokkos
