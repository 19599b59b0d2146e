// The product of a scatter matrix with a few axes, without the matrix: what subspace iteration
// needs of rows whose covariance would cost more than the few products.
//
// A sum's value depends on its own terms alone: not on the shapes, the place in the matrix or the
// number of threads.
#pragma once

#include <memory>
#include <span>
#include <vector>

namespace nanoatlas::kernels::kokkos {

/// The sums over rows of (x - mean) ((x - mean) . axis) for each axis; the rows come in pieces.
/// Values less their mean, axes, scores and products are of f32, summed in f32 over 256 terms and
/// in f64 beyond.
class AxisScatter {
  public:
    /// The sums over the rows of a piece are rounded as (sum + anchor) - anchor: to the distance of
    /// doubles at anchor.
    ///
    /// mean [columns], axes [k, columns], row-major
    AxisScatter(std::span<const double> mean, std::span<const double> axes, double anchor);
    ~AxisScatter();
    AxisScatter(const AxisScatter&) = delete;
    AxisScatter& operator=(const AxisScatter&) = delete;

    /// rows [n, columns], row-major
    void add(std::span<const float> rows);
    void add(std::span<const double> rows);

    /// [k, columns], row-major
    std::vector<double> sums() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace nanoatlas::kernels::kokkos
