#include "kernels/kokkos/space_order.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

namespace nanoatlas::kernels::kokkos {
namespace {

using Places = std::span<std::int32_t>;

// Up to here boxes, and cuts along their sides, tell more than balls and cuts between clumps.
constexpr std::size_t few_columns = 8;
constexpr std::size_t looked_at = 96;       // rows that tell where to cut
constexpr std::size_t worth_a_task = 4096;  // rows
constexpr std::size_t finest = 4;           // rows within a leaf that are left as they are
constexpr std::size_t evenness = 64;        // a cell of a share's part of so many is not shared

// Positions of a share, and the size of a cell that needs no finer cut at its limits.
struct Part {
    std::size_t begin, end, grain;
    Part(std::size_t rows, const Share& share)
        : begin(share.begin(rows)),
          end(share.end(rows)),
          grain(rows / (static_cast<std::size_t>(share.parts) * evenness)) {}
};

class Splitter {
  public:
    Splitter(std::span<const double> rows, std::size_t columns, std::size_t leaf)
        : rows_(rows), columns_(columns), leaf_(leaf) {}

    void split(Places cell) const {
        if (cell.size() <= finest) return;
        const auto at = cut(cell);
        const Places low = cell.first(at), high = cell.subspan(at);
#pragma omp task if (low.size() > worth_a_task)
        split(low);
        split(high);
    }

    // Appends the cells of a part that are in `cell`, whose first row stands at `first`. A cell
    // across the limit of two parts is cut, or goes with its first row.
    void collect(Places cell, std::size_t first, const Part& part,
                 std::vector<Places>& cells) const {
        const std::size_t end = first + cell.size();
        if (end <= part.begin || first >= part.end) return;
        const bool is_inside = first >= part.begin && end <= part.end;
        if (is_inside || cell.size() <= std::max(part.grain, finest)) {
            if (first >= part.begin) cells.push_back(cell);
            return;
        }
        const auto at = cut(cell);
        collect(cell.first(at), first, part, cells);
        collect(cell.subspan(at), first + at, part, cells);
    }

  private:
    struct Keyed {
        double key;
        std::int32_t row;
    };

    const double* row(std::int32_t number) const {
        return rows_.data() + static_cast<std::size_t>(number) * columns_;
    }
    // A cell above the size of a leaf is cut where a leaf ends.
    std::size_t grain(const Places& cell) const {
        return cell.size() > leaf_ ? leaf_ : 1;
    }

    std::size_t cut(const Places& cell) const {
        return columns_ <= few_columns ? halve(cell) : part_clumps(cell);
    }

    static std::vector<std::int32_t> sample(const Places& cell) {
        std::vector<std::int32_t> rows;
        const std::size_t stride = std::max<std::size_t>(1, cell.size() / looked_at);
        for (std::size_t i = 0; i < cell.size(); i += stride) rows.push_back(cell[i]);
        return rows;
    }

    // The rows whose key is least go before the cut.
    static void arrange(Places cell, std::size_t cut, std::vector<Keyed> keyed) {
        std::nth_element(keyed.begin(), keyed.begin() + static_cast<std::ptrdiff_t>(cut),
                         keyed.end(), [](const Keyed& a, const Keyed& b) { return a.key < b.key; });
        for (std::size_t i = 0; i < cell.size(); ++i) cell[i] = keyed[i].row;
    }

    // In the middle of the widest column.
    std::size_t halve(Places cell) const {
        const auto seen = sample(cell);
        std::size_t widest = 0;
        double width = -1;
        for (std::size_t c = 0; c < columns_; ++c) {
            double low = std::numeric_limits<double>::infinity(), high = -low;
            for (const auto number : seen) {
                low = std::min(low, row(number)[c]);
                high = std::max(high, row(number)[c]);
            }
            if (high - low > width) {
                width = high - low;
                widest = c;
            }
        }
        const std::size_t step = grain(cell), steps = (cell.size() + step - 1) / step;
        const std::size_t cut = (steps + 1) / 2 * step;
        std::vector<Keyed> keyed;
        keyed.reserve(cell.size());
        for (const auto number : cell) keyed.push_back({row(number)[widest], number});
        arrange(cell, cut, std::move(keyed));
        return cut;
    }

    // Half way between two means (Lloyd, IEEE Trans. Inf. Theory 28 (1982) 129), but with an eighth
    // of the cell at least on either side.
    std::size_t part_clumps(Places cell) const {
        const auto [normal, middle] = between_means(sample(cell));
        const std::size_t step = grain(cell), steps = (cell.size() + step - 1) / step;
        std::size_t below = 0;
        std::vector<Keyed> keyed;
        keyed.reserve(cell.size());
        for (const auto number : cell) {
            keyed.push_back({product(row(number), normal), number});
            below += keyed.back().key <= middle ? 1 : 0;
        }
        const std::size_t least = std::max<std::size_t>(1, steps / 8);
        const std::size_t cut =
            std::clamp((below + step / 2) / step, least, std::max(least, steps - least)) * step;
        arrange(cell, cut, std::move(keyed));
        return cut;
    }

    struct Plane {
        std::vector<double> normal;
        double offset;
    };

    Plane between_means(const std::vector<std::int32_t>& seen) const {
        const auto mean = mean_of(seen);
        auto a = row_values(farthest(seen, mean)), b = row_values(farthest(seen, a));
        for (int round = 0;; ++round) {
            auto plane = between(a, b);
            std::vector<std::int32_t> near_a, near_b;
            for (const auto number : seen)
                (product(row(number), plane.normal) <= plane.offset ? near_a : near_b)
                    .push_back(number);
            if (round == 4 || near_a.empty() || near_b.empty()) return plane;
            a = mean_of(near_a);
            b = mean_of(near_b);
        }
    }

    static Plane between(const std::vector<double>& a, const std::vector<double>& b) {
        Plane plane{b, 0};
        for (std::size_t c = 0; c < a.size(); ++c) {
            plane.normal[c] -= a[c];
            plane.offset += (a[c] + b[c]) / 2 * plane.normal[c];
        }
        return plane;
    }

    std::vector<double> row_values(std::int32_t number) const {
        return {row(number), row(number) + columns_};
    }

    std::vector<double> mean_of(const std::vector<std::int32_t>& numbers) const {
        std::vector<double> mean(columns_);
        for (const auto number : numbers)
            for (std::size_t c = 0; c < columns_; ++c)
                mean[c] += row(number)[c] / static_cast<double>(numbers.size());
        return mean;
    }

    std::int32_t farthest(const std::vector<std::int32_t>& seen,
                          const std::vector<double>& from) const {
        std::int32_t found = seen.front();
        double most = -1;
        for (const auto number : seen) {
            double sum = 0;
            for (std::size_t c = 0; c < columns_; ++c) {
                const double difference = row(number)[c] - from[c];
                sum += difference * difference;
            }
            if (sum > most) {
                most = sum;
                found = number;
            }
        }
        return found;
    }

    double product(const double* values, const std::vector<double>& axis) const {
        double sum = 0;
#pragma omp simd reduction(+ : sum)
        for (std::size_t c = 0; c < columns_; ++c) sum += values[c] * axis[c];
        return sum;
    }

    std::span<const double> rows_;
    std::size_t columns_, leaf_;
};

}  // namespace

std::vector<std::int32_t> space_order(std::span<const double> rows, std::size_t columns,
                                      std::size_t leaf, const Share& share) {
    std::vector<std::int32_t> order(rows.size() / columns);
    std::iota(order.begin(), order.end(), 0);
    const Splitter splitter(rows, columns, leaf);
    std::vector<Places> cells;
    splitter.collect(order, 0, Part(order.size(), share), cells);
#pragma omp parallel
#pragma omp single
    for (const auto cell : cells)
#pragma omp task if (cells.size() > 1)
        splitter.split(cell);
    if (share.parts == 1) return order;
    std::vector<std::int32_t> own;
    for (const auto& cell : cells) own.insert(own.end(), cell.begin(), cell.end());
    return own;
}

}  // namespace nanoatlas::kernels::kokkos
