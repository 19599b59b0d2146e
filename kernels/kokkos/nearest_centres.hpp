// The nearest of a few centres to each of many rows, over and over while the centres move.
//
// Scores |y|^2 - 2 x.y are f32 products of centred, scaled rows, with their rounding bounded. Where
// the bound leaves two centres or more in doubt, those are ranked in f64 from the original
// differences: the answer is that of plain f64, equal distances by the number of the centre.
//
// Each row keeps how much nearer its centre is than any other. What the centres move is taken from
// it, and only a row for which nothing is left is looked at again: Hamerly, "Making k-means even
// faster", SDM 2010, with one bound in the place of two.
//
// Sums of rows are whole numbers (FixedPoint), so adding and taking away is exact: they depend on
// which rows belong together and on nothing else, neither ranks nor threads nor what was before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "kernels/kokkos/fixed_point.hpp"
#include "kernels/kokkos/neighbours.hpp"

namespace nanoatlas::kernels::kokkos {

class NearestCentres {
  public:
    /// rows        [n, columns], row-major; must outlive it
    /// frame       the same on all ranks
    /// clusters    K, number of centres
    /// total_rows  of all ranks
    NearestCentres(std::span<const double> rows, const Frame& frame, std::size_t clusters,
                   std::int64_t total_rows);
    ~NearestCentres();
    NearestCentres(const NearestCentres&) = delete;
    NearestCentres& operator=(const NearestCentres&) = delete;

    /// Gives each row its nearest of the centres [K, columns]; returns how many rows have another
    /// than before (at first all).
    std::int64_t assign(std::span<const double> centres);

    /// Forgets all labels, as if it were new.
    void restart();

    std::vector<std::int32_t> labels() const;
    /// Gives one row a centre that is not its nearest.
    void set_label(std::size_t row, std::int32_t label);

    /// [n] of each row from its centre, in f64.
    std::vector<double> squared_distances(std::span<const double> centres) const;

    /// Adds to sums [K, columns] and counts [K] what labels have changed since the last call; a
    /// value counts as round((value - frame.centre) * fixed_point().scale).
    void add_changes(std::span<std::int64_t> sums, std::span<std::int64_t> counts);
    const FixedPoint& fixed_point() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace nanoatlas::kernels::kokkos
