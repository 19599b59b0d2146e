// The leading eigenvectors of a symmetric positive semi-definite matrix that is known by its
// products with vectors alone.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "reduce/eigen.hpp"

namespace nanoatlas::reduce {

/// Vectors, one a row: [b, n].
using VectorBlock = std::vector<double>;

/// Chebyshev-filtered subspace iteration: a block of b > k vectors, each round multiplied by a
/// polynomial of the matrix that is small on the unwanted end of the spectrum, then rotated to Ritz
/// vectors. Zhou, Saad, Tiago, Chelikowsky, J. Comput. Phys. 219 (2006) 172, algorithm 4.3. Of the
/// filtered block, only what the residuals contribute to it is iterated: it is as small as they
/// are, and so is its rounding. The same bits on any number of threads, if the products' are.
class SubspaceIteration {
  public:
    /// out = the matrix times each vector of in; both [b, n]
    using Product = std::function<void(const VectorBlock& in, VectorBlock& out)>;
    /// The length that the residual |Av - lambda v| of pair j may have, by the block's Ritz values
    /// [b], descending.
    using Bound = std::function<double(std::span<const double> values, std::size_t j)>;

    /// From the vectors of a block of more than k, or as many as there are.
    SubspaceIteration(const Product& product, std::int64_t n, std::int64_t k, VectorBlock start)
        : SubspaceIteration(product, product, n, k, std::move(start)) {}
    /// rough: a product whose relative error may be that of f32, for all but one of each round
    SubspaceIteration(Product product, Product rough, std::int64_t n, std::int64_t k,
                      VectorBlock start);

    /// Vectors that are iterated to have k of n, unless there is a reason for others.
    static std::int64_t block_size(std::int64_t n, std::int64_t k);
    static VectorBlock random_block(std::int64_t n, std::int64_t size);

    /// Until every one of the first k residuals is within its bound: true; false if that takes more
    /// than so many products. throws EnvironmentError if LAPACK fails
    bool run(int most_products, const Bound& bound);

    /// The first k.
    EigenPairs pairs() const;
    /// Approximate eigenvalues of all vectors of the block, [b], descending.
    const std::vector<double>& values() const { return ritz_; }
    /// Their vectors.
    const VectorBlock& block() const { return block_; }

  private:
    void orthonormalise(VectorBlock& block) const;
    void rotate_to_ritz_vectors();
    bool converged(const VectorBlock& residual, const Bound& bound) const;
    int degree(double half_width) const;
    int filter(const VectorBlock& residual, int most_products);
    VectorBlock residuals() const;

    Product multiply_, multiply_roughly_;
    int n_, k_, b_;
    VectorBlock block_, image_, spare_;
    std::vector<double> ritz_;
};

}  // namespace nanoatlas::reduce
