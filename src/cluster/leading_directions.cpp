#include "cluster/leading_directions.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>
#include <utility>

#include "base/random.hpp"
#include "comm/distribution.hpp"
#include "kernels/kokkos/products.hpp"

namespace nanoatlas::cluster {
namespace {

constexpr std::int64_t largest_sample = 1024, fewest_rows = 1024;
constexpr std::size_t searchers = 128;
constexpr std::size_t counts[] = {16, 32, 64, 128};
constexpr int iterations = 3;
constexpr std::uint64_t seed = 1;

using Values = std::vector<double>;

std::vector<float> in_f32(std::span<const double> values) {
    return {values.begin(), values.end()};
}

// [n, m] -> [m, n], a line of the cache of some rows at a time.
template <class To, class From>
std::vector<To> transposed(const std::vector<From>& values, std::size_t m) {
    constexpr std::size_t at_once = 16;
    const std::size_t n = values.size() / m;
    std::vector<To> result(values.size());
    for (std::size_t first = 0; first < n; first += at_once)
        for (std::size_t j = 0; j < m; ++j)
            for (std::size_t i = first; i < std::min(n, first + at_once); ++i)
                result[j * n + i] = static_cast<To>(values[i * m + j]);
    return result;
}

// [n, m] of rows a [n, columns] and b [m, columns] that all ranks have: each multiplies its share
// of a. Where m is the smaller, less has to be laid out.
Values products(std::span<const float> a, std::span<const float> b, std::size_t columns,
                const comm::Communicator& comm) {
    const auto rows = comm::row_block(static_cast<std::int64_t>(a.size() / columns), comm);
    const auto share = a.subspan(static_cast<std::size_t>(rows.first) * columns,
                                 static_cast<std::size_t>(rows.count) * columns);
    Values result(static_cast<std::size_t>(rows.count) * (b.size() / columns));
    kernels::kokkos::RowProducts(Values(columns), Values(b.begin(), b.end()))
        .multiply(share, result);
    return comm.all_gather(result);
}

// In sixteen sums, so that none waits for the one before it.
template <class T>
double product(const T* a, const T* b, std::size_t columns) {
    constexpr std::size_t lanes = 16;
    double sums[lanes] = {};
    std::size_t c = 0;
    for (; c + lanes <= columns; c += lanes)
        for (std::size_t lane = 0; lane < lanes; ++lane)
            sums[lane] += double{a[c + lane]} * double{b[c + lane]};
    for (std::size_t lane = 0; c < columns; ++c, ++lane) sums[lane] += double{a[c]} * double{b[c]};
    return std::accumulate(std::begin(sums), std::end(sums), 0.0);
}

// By Gram and Schmidt; twice is enough for orthogonality to rounding (Giraud et al., Numer. Math.
// 101 (2005) 87). Rows that depend on those before them are left out.
Values orthonormal(Values rows, std::size_t columns, int passes) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < rows.size() / columns; ++i) {
        double* row = &rows[kept * columns];
        std::copy_n(&rows[i * columns], columns, row);
        const double before = std::sqrt(product(row, row, columns));
        for (int pass = 0; pass < passes; ++pass)
            for (std::size_t j = 0; j < kept; ++j) {
                const double* other = &rows[j * columns];
                const double along = product(row, other, columns);
                for (std::size_t c = 0; c < columns; ++c) row[c] -= along * other[c];
            }
        const double norm = std::sqrt(product(row, row, columns));
        if (!(norm > 1e-5 * before)) continue;
        for (std::size_t c = 0; c < columns; ++c) row[c] /= norm;
        ++kept;
    }
    rows.resize(kept * columns);
    return rows;
}

// Frobenius norm of directions directions^T - 1, with the rounding of this.
double skew_of(const Values& directions, std::size_t columns) {
    const std::size_t count = directions.size() / columns;
    double sum = 0;
    for (std::size_t i = 0; i < count; ++i)
        for (std::size_t j = 0; j <= i; ++j) {
            const double off =
                product(&directions[i * columns], &directions[j * columns], columns) - (i == j);
            sum += (i == j ? 1 : 2) * off * off;
        }
    return 1.01 * std::sqrt(sum) + static_cast<double>(count * columns) * 0x1p-53;
}

/// What a sample says of the search for k neighbours of many rows. Costs are processor cycles a
/// pair, as measured on AVX2.
class Forecast {
  public:
    Forecast(const std::vector<float>& sample, std::size_t columns, double share,
             const comm::Communicator& comm)
        : columns_(columns), n_(sample.size() / columns), comm_(comm) {
        const std::size_t m = std::min(searchers, n_);
        const Values dot = products(sample, std::span(sample).first(m * columns), columns, comm);
        for (std::size_t i = 0; i < n_; ++i)
            norm2_.push_back(product(&sample[i * columns], &sample[i * columns], columns));
        const auto rank = static_cast<std::size_t>(share * static_cast<double>(n_ - 1));
        for (std::size_t i = 0; i < m; ++i) {
            Values distance2;
            for (std::size_t j = 0; j < n_; ++j)
                if (j != i) distance2.push_back(norm2_[i] + norm2_[j] - 2 * dot[j * m + i]);
            const auto kth = distance2.begin() + static_cast<std::ptrdiff_t>(rank);
            std::nth_element(distance2.begin(), kth, distance2.end());
            limit_.push_back(*kth);
        }
    }

    // components: [n, count] of the sample
    void look_along(const Values& components) {
        count_ = components.size() / n_;
        component_ = components;
    }
    // Of the first `count` of the directions. A pair that passes takes its 16-bit rows from memory.
    double cost_of_leading(std::size_t count) const {
        const double passing = passing_share(count) * static_cast<double>(columns_) / 2;
        return static_cast<double>(count + 1) / 14 + 4 + passing;
    }
    // Each is compared once for both rows.
    double cost_of_pairs() const { return static_cast<double>(columns_) / 50 + 4; }

  private:
    double rest(std::size_t i, std::size_t count) const {
        const double* own = &component_[i * count_];
        return std::sqrt(std::max(0.0, norm2_[i] - product(own, own, count)));
    }

    // Of pairs whose lower bound by `count` directions is within the limit.
    double passing_share(std::size_t count) const {
        const auto own = comm::row_block(static_cast<std::int64_t>(limit_.size()), comm_);
        Values rests;
        for (std::size_t i = 0; i < n_; ++i) rests.push_back(rest(i, count));
        std::int64_t passing = 0;
#pragma omp parallel for reduction(+ : passing)
        for (auto i = static_cast<std::size_t>(own.first); i < static_cast<std::size_t>(own.end());
             ++i)
            for (std::size_t j = 0; j < n_; ++j) {
                double bound = (rests[i] - rests[j]) * (rests[i] - rests[j]);
#pragma omp simd reduction(+ : bound)
                for (std::size_t c = 0; c < count; ++c) {
                    const double apart = component_[i * count_ + c] - component_[j * count_ + c];
                    bound += apart * apart;
                }
                passing += static_cast<std::int64_t>(j != i && bound <= limit_[i]);
            }
        return static_cast<double>(comm_.sum(passing)) /
               static_cast<double>(limit_.size() * (n_ - 1));
    }

    std::size_t columns_, n_, count_ = 0;
    Values component_, norm2_;  // [n, count], [n]
    Values limit_;              // [searchers] the squared distance of the share asked for
    const comm::Communicator& comm_;
};

// The root's, as processors may round otherwise, and ranks must not go other ways.
Values of_root(Values values, const comm::Communicator& comm) {
    values.resize(comm.broadcast(values.size()));
    comm.broadcast(std::span<double>(values));
    return values;
}

// Orthonormal directions [count, columns] that come nearer to the span of the leading right
// singular vectors of a sample [n, columns], the leading ones first; fewer than `count` if its rank
// is lower.
class SubspaceIteration {
  public:
    SubspaceIteration(const std::vector<float>& sample, std::size_t columns,
                      const comm::Communicator& comm)
        : sample_(sample),
          turned_(transposed<float>(sample, columns)),
          columns_(columns),
          comm_(comm) {}

    Values start(std::size_t count) const {
        std::vector<float> mix;  // [count, n]
        for (std::size_t i = 0; i < count; ++i) {
            base::Random random(seed, 2, i);
            for (std::size_t j = 0; j < n(); ++j)
                mix.push_back(static_cast<float>(random.normal()));
        }
        return spanned_by(mix, 1);
    }
    // [n, count] of the sample along the directions.
    Values components(const Values& directions) const {
        return products(sample_, in_f32(directions), columns_, comm_);
    }
    // components: along the directions before
    Values nearer(const Values& components, bool is_last) const {
        return spanned_by(transposed<float>(components, components.size() / n()), is_last ? 2 : 1);
    }

  private:
    std::size_t n() const { return sample_.size() / columns_; }

    Values spanned_by(const std::vector<float>& mix, int passes) const {
        auto spanning = transposed<double>(products(turned_, mix, n(), comm_), mix.size() / n());
        return of_root(orthonormal(std::move(spanning), columns_, passes), comm_);
    }

    const std::vector<float>& sample_;
    std::vector<float> turned_;
    std::size_t columns_;
    const comm::Communicator& comm_;
};

// As many of the leading directions as make the search fastest; none if that is no gain.
Values directions_that_pay(const std::vector<float>& sample, std::size_t columns, double share,
                           const comm::Communicator& comm) {
    const SubspaceIteration iteration(sample, columns, comm);
    auto directions = iteration.start(counts[std::size(counts) - 1]);
    Forecast forecast(sample, columns, share, comm);
    auto components = iteration.components(directions);
    forecast.look_along(components);
    // Rows without structure: what spares so few pairs at first, iterations do not mend.
    const std::size_t started = directions.size() / columns;
    if (started == 0 || forecast.cost_of_leading(started) > 10 * forecast.cost_of_pairs())
        return {};
    for (int i = 1; i <= iterations && !directions.empty(); ++i) {
        directions = iteration.nearer(components, i == iterations);
        components = iteration.components(directions);
    }
    forecast.look_along(components);
    const std::size_t found = directions.size() / columns;
    double least = 0.8 * forecast.cost_of_pairs();
    std::size_t best = 0;
    for (const auto count : counts) {
        const auto used = std::min(count, found);
        if (used == 0) continue;
        const double cost = forecast.cost_of_leading(used);
        if (cost >= least) continue;
        least = cost;
        best = used;
    }
    directions.resize(best * columns);
    return directions;
}

}  // namespace

void add_leading_directions(kernels::kokkos::Frame& frame, std::int64_t rows, int k,
                            const ReadRow& read, const comm::Communicator& comm) {
    const std::size_t columns = frame.centre.size();
    if (columns < kernels::kokkos::wide_columns || rows < fewest_rows) return;
    const auto sample = sample_rows(frame, rows, largest_sample, read, comm);
    const double share = static_cast<double>(k) / static_cast<double>(rows - 1);
    frame.directions = of_root(directions_that_pay(sample, columns, share, comm), comm);
    frame.skew = skew_of(frame.directions, columns);
    frame.skew = comm.broadcast(frame.skew);
}

}  // namespace nanoatlas::cluster
