// The matrix products of a principal component analysis: of columns with columns, for the scatter
// matrix, and of rows with components, for the projection.
//
// A sum's value depends on its own terms alone: not on the shapes, the place in the matrix or the
// number of threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace nanoatlas::kernels::kokkos {

/// What values are rounded to in ColumnProducts<std::int16_t>: of a column's values less their
/// mean in so many rows, a step is that share of their length, or of the largest of them, whichever
/// is more.
struct RoundingSteps {
    static constexpr std::size_t rows = 256;
    static constexpr int in_length = 46340 - 8, in_largest = 32766;
};

/// The sums over rows of (x - mean)(x - mean)^T; the rows come in pieces. Values less their mean,
/// and products, are of P (float or double), summed in P over 256 rows and in f64 beyond. With
/// std::int16_t as P the values are rounded to whole numbers of 16 bits (RoundingSteps);
/// products are exact, and half as fast again as those of float. There, what is below 1e-15 counts
/// as 0; without AVX2, and on a GPU, it is the same as float.
template <class P>
class ColumnProducts {
  public:
    /// The sums over the rows of a piece are rounded as (sum + anchor) - anchor: to the distance of
    /// doubles at anchor.
    ///
    /// mean [columns]
    ColumnProducts(std::span<const double> mean, double anchor);
    ~ColumnProducts();
    ColumnProducts(const ColumnProducts&) = delete;
    ColumnProducts& operator=(const ColumnProducts&) = delete;

    /// rows [n, columns], row-major
    void add(std::span<const float> rows);
    void add(std::span<const double> rows);

    /// The lower triangle, row by row: element (p, q), q <= p, at p (p + 1) / 2 + q.
    std::vector<double> sums() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

/// The products of rows with axes, in f64.
class RowProducts {
  public:
    /// mean [columns], axes [k, columns], row-major
    RowProducts(std::span<const double> mean, std::span<const double> axes);
    ~RowProducts();
    RowProducts(const RowProducts&) = delete;
    RowProducts& operator=(const RowProducts&) = delete;

    /// out[i, j] = the sum over columns of (rows[i] - mean) axes[j].
    ///
    /// rows [n, columns], out [n, k], row-major
    /// squares [n], or empty if not wanted: of each row's distance from the mean
    void multiply(std::span<const float> rows, std::span<double> out,
                  std::span<double> squares = {});
    void multiply(std::span<const double> rows, std::span<double> out,
                  std::span<double> squares = {});

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace nanoatlas::kernels::kokkos
