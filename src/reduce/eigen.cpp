#include "reduce/eigen.hpp"

#include <cblas.h>
#include <lapacke.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <optional>

#include "base/check.hpp"
#include "base/random.hpp"

namespace nanoatlas::reduce {
namespace {

constexpr double tolerance = 1e-12;  // of a residual, over the largest eigenvalue
constexpr std::int64_t small_matrix = 256;

void check(lapack_int status, const char* routine) {
    ENSURE(status == 0, "LAPACK's {} failed (status {}); is the matrix finite?", routine, status);
}

/// BLAS and LAPACK sum in another order on another number of threads; called by one thread of
/// several they take no more than that.
template <class Work>
void on_one_thread(const Work& work) {
    std::exception_ptr error;
#pragma omp parallel
#pragma omp single
    try {
        work();
    } catch (...) {  // must not leave the parallel region
        error = std::current_exception();
    }
    if (error) std::rethrow_exception(error);
}

/// out [rows, n] = a [rows, inner] b [inner, n] by strips of columns, each by one thread: the same
/// bits on any number of threads.
void multiply_strips(int rows, int n, int inner, const double* a, const double* b, double* out) {
    constexpr int strip = 256;
#pragma omp parallel for schedule(dynamic)
    for (int first = 0; first < n; first += strip)
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, std::min(strip, n - first),
                    inner, 1.0, a, inner, b + first, n, 0.0, out + first, n);
}

/// Chebyshev-filtered subspace iteration: a block of b > k vectors, each round multiplied by a
/// polynomial of the matrix that is small on the unwanted end of the spectrum, then rotated to Ritz
/// vectors. Zhou, Saad, Tiago, Chelikowsky, J. Comput. Phys. 219 (2006) 172, algorithm 4.3.
///
/// Blocks are [b, n]: a vector a row, which BLAS sees as columns.
class SubspaceIteration {
  public:
    SubspaceIteration(std::span<const double> matrix, std::int64_t n, std::int64_t k)
        : matrix_(matrix),
          n_(static_cast<int>(n)),
          k_(static_cast<int>(k)),
          b_(static_cast<int>(std::min(n, k + std::max<std::int64_t>(k / 2, 16)))),
          block_(static_cast<std::size_t>(b_) * static_cast<std::size_t>(n)),
          image_(block_.size()),
          spare_(block_.size()),
          ritz_(static_cast<std::size_t>(b_)) {
        base::Random random(0x70CA, n, k);
        for (auto& value : block_) value = random.normal();
        orthonormalise(block_);
    }

    /// Nothing if it has not converged after as many products as dsyevr would cost.
    std::optional<EigenPairs> run() {
        const int most_products = 40 + n_ / 10;
        multiply(block_, image_);
        for (int products = 1; products < most_products;) {
            rotate_to_ritz_vectors();
            if (converged()) return pairs();
            products += filter();
            multiply(block_, image_);
            ++products;
        }
        return std::nullopt;
    }

  private:
    using Block = std::vector<double>;

    void multiply(const Block& in, Block& out) const {
        multiply_strips(b_, n_, n_, in.data(), matrix_.data(), out.data());
    }

    void orthonormalise(Block& block) const {
        std::vector<double> scales(static_cast<std::size_t>(b_));
        on_one_thread([&] {
            check(LAPACKE_dgeqrf(LAPACK_COL_MAJOR, n_, b_, block.data(), n_, scales.data()),
                  "dgeqrf");
            check(LAPACKE_dorgqr(LAPACK_COL_MAJOR, n_, b_, b_, block.data(), n_, scales.data()),
                  "dorgqr");
        });
    }

    /// Makes the block the eigenvectors of the matrix within its span, largest first.
    void rotate_to_ritz_vectors() {
        std::vector<double> small(static_cast<std::size_t>(b_) * static_cast<std::size_t>(b_));
        on_one_thread([&] {  // negative: descending order
            cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, b_, b_, n_, -1.0, block_.data(),
                        n_, image_.data(), n_, 0.0, small.data(), b_);
            check(LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'V', 'U', b_, small.data(), b_, ritz_.data()),
                  "dsyevd");
        });
        for (auto& value : ritz_) value = -value;
        for (Block* block : {&block_, &image_}) {
            multiply_strips(b_, n_, b_, small.data(), block->data(), spare_.data());
            std::swap(*block, spare_);
        }
    }

    bool converged() const {
        for (int j = 0; j < k_; ++j) {
            const auto at = static_cast<std::size_t>(j) * static_cast<std::size_t>(n_);
            const double value = ritz_[static_cast<std::size_t>(j)];
            double square = 0;
            for (std::size_t i = at; i < at + static_cast<std::size_t>(n_); ++i) {
                const double residual = (image_[i] - value * block_[i]) / ritz_[0];
                square += residual * residual;
            }
            if (!(std::sqrt(square) <= tolerance)) return false;
        }
        return true;
    }

    /// Degree at which the largest eigenvector is amplified 1e8 times: beyond that, what rounding
    /// leaves of it would drown the others.
    int degree(double half_width) const {
        const double x = std::max(1.001, ritz_[0] / half_width - 1);
        const double growth = std::log(x + std::sqrt(x * x - 1));
        return std::clamp(static_cast<int>(std::log(2e8) / growth), 1, 12);
    }

    /// Multiplies the block by the Chebyshev polynomial that is within 1 on [0, smallest Ritz
    /// value], scaled to 1 at the largest. Returns the number of products with the matrix.
    int filter() {
        const double half_width = 0.5 * std::max(ritz_.back(), 1e-10 * ritz_[0]);
        const int products = degree(half_width);
        const double start = half_width / (ritz_[0] - half_width);
        double sigma = start;
        axpby(sigma / half_width, image_, -sigma, block_, spare_);  // spare: degree 1
        for (int i = 2; i <= products; ++i) {
            const double next = 1 / (2 / start - sigma);
            multiply(spare_, image_);
            axpby(2 * next / half_width, image_, -2 * next, spare_, image_);
            axpby(1, image_, -sigma * next, block_, image_);
            std::swap(block_, spare_);
            std::swap(spare_, image_);
            sigma = next;
        }
        std::swap(block_, spare_);
        orthonormalise(block_);
        return products - 1;
    }

    /// out = a x + b y
    static void axpby(double a, const Block& x, double b, const Block& y, Block& out) {
#pragma omp parallel for
        for (std::size_t i = 0; i < x.size(); ++i) out[i] = a * x[i] + b * y[i];
    }

    EigenPairs pairs() const {
        return {.values = {ritz_.begin(), ritz_.begin() + k_},
                .vectors = {block_.begin(), block_.begin() + static_cast<std::ptrdiff_t>(k_) * n_}};
    }

    std::span<const double> matrix_;
    int n_, k_, b_;
    Block block_, image_, spare_;
    std::vector<double> ritz_;
};

}  // namespace

EigenPairs leading_eigenpairs_lapack(std::span<const double> matrix, std::int64_t n,
                                     std::int64_t k) {
    std::vector<double> work(matrix.begin(), matrix.end());
    std::vector<double> values(static_cast<std::size_t>(n)),
        vectors(static_cast<std::size_t>(k * n));
    std::vector<lapack_int> support(static_cast<std::size_t>(2 * k));
    lapack_int found = 0;
    const auto size = static_cast<lapack_int>(n);
    check(LAPACKE_dsyevr(LAPACK_COL_MAJOR, 'V', 'I', 'U', size, work.data(), size, 0, 0,
                         static_cast<lapack_int>(n - k + 1), size, 0, &found, values.data(),
                         vectors.data(), size, support.data()),
          "dsyevr");
    EigenPairs pairs;
    for (std::int64_t j = k - 1; j >= 0; --j) {
        pairs.values.push_back(values[static_cast<std::size_t>(j)]);
        pairs.vectors.insert(pairs.vectors.end(), vectors.begin() + j * n,
                             vectors.begin() + (j + 1) * n);
    }
    return pairs;
}

EigenPairs leading_eigenpairs(std::span<const double> matrix, std::int64_t n, std::int64_t k) {
    EigenPairs pairs;
    if (n < small_matrix) {
        on_one_thread([&] { pairs = leading_eigenpairs_lapack(matrix, n, k); });
        return pairs;
    }
    if (k <= n / 8)
        if (auto found = SubspaceIteration(matrix, n, k).run()) return *std::move(found);
    return leading_eigenpairs_lapack(matrix, n, k);
}

std::vector<double> all_eigenvalues(std::span<const double> matrix, std::int64_t n) {
    std::vector<double> work(matrix.begin(), matrix.end()), values(static_cast<std::size_t>(n));
    check(LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'N', 'U', static_cast<lapack_int>(n), work.data(),
                         static_cast<lapack_int>(n), values.data()),
          "dsyevd");
    std::reverse(values.begin(), values.end());
    return values;
}

}  // namespace nanoatlas::reduce
