// How the search for neighbours lays out rows, and what it wants to know of each of them: found
// once, by whoever has the rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "kernels/kokkos/space_order.hpp"

namespace nanoatlas::kernels::kokkos {

/// What makes the search fast. The neighbours don't depend on it, only the time does. The same on
/// all ranks.
struct Frame {
    std::vector<double> centre;  ///< [columns], for instance the mean
    double largest = 1;          ///< no |row - centre| has a component above it; > 0
    /// Orthonormal [count, columns]: those that tell most of the distances; or none.
    std::vector<double> directions = {};
    double skew = 0;  ///< Frobenius norm of directions directions^T - 1, or above
    /// All pairs, although there are few columns.
    bool compares_all = false;
};

enum class SearchRoute { panels, leading, pairs };

/// From here on rows are wide: without directions, the way of all pairs is the faster.
constexpr std::size_t wide_columns = 192;

SearchRoute route_of(const Frame& frame);

/// Whether so many rows of a rank may be compared all with all although there are fewer columns:
/// each has a pool of candidates then all the time.
bool may_compare_all(std::size_t columns, std::int64_t rows, int k);

/// The order in which rows [m, columns] are laid out so that panels are cells in space, or a share
/// of it.
std::vector<std::int32_t> layout_order(std::span<const double> rows, std::size_t columns,
                                       const Share& share = {});

/// Memory that is written before it is read; whose pages are nobody's until then.
template <class T>
class Unfilled {
  public:
    Unfilled() = default;
    explicit Unfilled(std::size_t size)
        : values_(std::make_unique_for_overwrite<T[]>(size)), size_(size) {}
    operator std::span<T>() { return {values_.get(), size_}; }
    operator std::span<const T>() const { return {values_.get(), size_}; }

  private:
    std::unique_ptr<T[]> values_;
    std::size_t size_ = 0;
};

/// Of rows [n, columns], by row but for the order.
struct Layout {
    std::vector<std::int32_t> order;  ///< [n], or a share of them
    std::vector<float> norm2;         ///< [n] of the scaled rows
    /// What the frame's directions tell of each row: [n, LayoutWidths::leading].
    std::vector<float> leading;
    /// Wide rows: in f32 [n, columns], if that holds them, as features come; else none.
    Unfilled<float> exact;
    /// Wide rows: whole numbers of 16 bits (short_rows.hpp) [n, LayoutWidths::numbers], filled up
    /// with rows of 0 to the last group.
    Unfilled<std::int16_t> numbers;
    std::vector<float> step;  ///< [n], what a number is worth
    float error = 0;          ///< |row - its numbers| <= error |row|
};

Layout lay_out(std::span<const double> rows, const Frame& frame, const Share& share = {});

/// Values of a row in a layout; 0: there are none.
struct LayoutWidths {
    std::size_t norm2 = 0, leading = 0, numbers = 0;
    std::size_t group = 1;  ///< rows that have their numbers together
};

LayoutWidths layout_widths(const Frame& frame);

/// Another's layout, or that of some of its rows.
struct LayoutView {
    std::span<const std::int32_t> order = {};
    std::span<const float> norm2 = {}, leading = {}, exact = {};
    std::span<const std::int16_t> numbers = {};
    std::span<const float> step = {};
    float error = 0;

    LayoutView() = default;
    LayoutView(const Layout& layout)
        : order(layout.order),
          norm2(layout.norm2),
          leading(layout.leading),
          exact(layout.exact),
          numbers(layout.numbers),
          step(layout.step),
          error(layout.error) {}

    /// Rows [first, first + count) in an order of their own; first is that of a group.
    LayoutView part(std::size_t first, std::size_t count, std::span<const std::int32_t> its_order,
                    const LayoutWidths& widths) const;
};

}  // namespace nanoatlas::kernels::kokkos
