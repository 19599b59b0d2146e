#include "reduce/subspace_iteration.hpp"

#include <cblas.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/random.hpp"
#include "reduce/lapack.hpp"

namespace nanoatlas::reduce {
SubspaceIteration::SubspaceIteration(Product product, Product rough, std::int64_t n, std::int64_t k,
                                     VectorBlock start)
    : multiply_(std::move(product)),
      multiply_roughly_(std::move(rough)),
      n_(static_cast<int>(n)),
      k_(static_cast<int>(k)),
      b_(static_cast<int>(start.size() / static_cast<std::size_t>(n))),
      block_(std::move(start)),
      image_(block_.size()),
      spare_(block_.size()),
      ritz_(static_cast<std::size_t>(b_)) {
    orthonormalise(block_);
}

std::int64_t SubspaceIteration::block_size(std::int64_t n, std::int64_t k) {
    return std::min(n, k + std::max<std::int64_t>(k / 2, 16));
}

VectorBlock SubspaceIteration::random_block(std::int64_t n, std::int64_t size) {
    VectorBlock block(static_cast<std::size_t>(size * n));
    base::Random random(0x70CA, n, size);
    for (auto& value : block) value = random.normal();
    return block;
}

bool SubspaceIteration::run(int most_products, const Bound& bound) {
    multiply_(block_, image_);
    for (int products = 1;;) {
        rotate_to_ritz_vectors();
        const auto residual = residuals();
        if (converged(residual, bound)) return true;
        if (products >= most_products) return false;
        products += filter(residual, most_products - products);
        multiply_(block_, image_);
        ++products;
    }
}

void SubspaceIteration::orthonormalise(VectorBlock& block) const {
    std::vector<double> scales(static_cast<std::size_t>(b_));
    on_one_thread([&] {
        check_lapack(LAPACKE_dgeqrf(LAPACK_COL_MAJOR, n_, b_, block.data(), n_, scales.data()),
                     "dgeqrf");
        check_lapack(LAPACKE_dorgqr(LAPACK_COL_MAJOR, n_, b_, b_, block.data(), n_, scales.data()),
                     "dorgqr");
    });
}

/// Makes the block the eigenvectors of the matrix within its span, largest first.
void SubspaceIteration::rotate_to_ritz_vectors() {
    std::vector<double> small(static_cast<std::size_t>(b_) * static_cast<std::size_t>(b_));
    on_one_thread([&] {  // negative: descending order
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, b_, b_, n_, -1.0, block_.data(), n_,
                    image_.data(), n_, 0.0, small.data(), b_);
        check_lapack(LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'V', 'U', b_, small.data(), b_, ritz_.data()),
                     "dsyevd");
    });
    for (auto& value : ritz_) value = -value;
    for (VectorBlock* block : {&block_, &image_}) {
        multiply_strips(b_, n_, b_, small.data(), block->data(), spare_.data());
        std::swap(*block, spare_);
    }
}

bool SubspaceIteration::converged(const VectorBlock& residual, const Bound& bound) const {
    if (ritz_[0] <= 0) return true;  // the matrix is 0
    const auto n = static_cast<std::size_t>(n_);
    for (std::size_t j = 0; j < static_cast<std::size_t>(k_); ++j) {
        double square = 0;
        for (std::size_t i = j * n; i < (j + 1) * n; ++i) {
            const double relative = residual[i] / ritz_[0];
            square += relative * relative;
        }
        if (!(std::sqrt(square) <= bound(ritz_, j) / ritz_[0])) return false;
    }
    return true;
}

/// Degree at which the largest eigenvector is amplified 1e8 times: beyond that, what rounding
/// leaves of it would drown the others.
int SubspaceIteration::degree(double half_width) const {
    const double x = std::max(1.001, ritz_[0] / half_width - 1);
    const double growth = std::log(x + std::sqrt(x * x - 1));
    return std::clamp(static_cast<int>(std::log(2e8) / growth), 1, 12);
}

/// Of each vector v with its Ritz value: A v - value v.
VectorBlock SubspaceIteration::residuals() const {
    const auto n = static_cast<std::size_t>(n_);
    VectorBlock result(block_.size());
#pragma omp parallel for
    for (std::size_t i = 0; i < result.size(); ++i)
        result[i] = image_[i] - ritz_[i / n] * block_[i];
    return result;
}

/// Multiplies the block by the Chebyshev polynomial that is within 1 on [0, smallest Ritz
/// value], scaled to 1 at the largest. Returns the number of products with the matrix, which the
/// first of its degree does without.
///
/// A vector v of Ritz value t and residual r becomes p_i(t) v + e_i. With M = A / h - 1 for half
/// the width h, e_0 = 0, e_1 = s_1 r / h, e_i+1 = 2 s_i+1 (M e_i + p_i(t) r / h) - s_i s_i+1 e_i-1.
int SubspaceIteration::filter(const VectorBlock& residual, int most_products) {
    const auto n = static_cast<std::size_t>(n_), b = static_cast<std::size_t>(b_);
    const double half_width = 0.5 * std::max(ritz_.back(), 1e-10 * ritz_[0]);
    const int products = std::min(degree(half_width), most_products);
    const double start = half_width / (ritz_[0] - half_width);
    VectorBlock before(block_.size()), present(block_.size());  // e_i-1, e_i
    std::vector<double> factor_before(b, 1.0), factor(b);       // p_i-1, p_i
    for (std::size_t i = 0; i < present.size(); ++i) present[i] = start / half_width * residual[i];
    for (std::size_t j = 0; j < b; ++j) factor[j] = start * (ritz_[j] / half_width - 1);
    double sigma = start;
    for (int i = 2; i <= products; ++i) {
        const double next = 1 / (2 / start - sigma);
        multiply_roughly_(present, image_);
#pragma omp parallel for
        for (std::size_t j = 0; j < b; ++j) {
            for (std::size_t at = j * n; at < (j + 1) * n; ++at) {
                const double moved =
                    (image_[at] + factor[j] * residual[at]) / half_width - present[at];
                before[at] = 2 * next * moved - sigma * next * before[at];
            }
            factor_before[j] = 2 * next * (ritz_[j] / half_width - 1) * factor[j] -
                               sigma * next * factor_before[j];
        }
        std::swap(before, present);
        std::swap(factor_before, factor);
        sigma = next;
    }
#pragma omp parallel for
    for (std::size_t i = 0; i < block_.size(); ++i)
        block_[i] = factor[i / n] * block_[i] + present[i];
    orthonormalise(block_);
    return products - 1;
}

EigenPairs SubspaceIteration::pairs() const {
    return {.values = {ritz_.begin(), ritz_.begin() + k_},
            .vectors = {block_.begin(), block_.begin() + static_cast<std::ptrdiff_t>(k_) * n_}};
}

}  // namespace nanoatlas::reduce
