#include "kernels/kokkos/density.hpp"

#include <cmath>
#include <cstring>
#include <numbers>

#include "kernels/kokkos/views.hpp"
#include "kernels/reference/density.hpp"

#if defined(__AVX2__) && defined(__GLIBC__) && !defined(__CUDACC__)
#define NANOATLAS_EXP_OF_FOUR
#include <immintrin.h>
// Of the C library, to 4 ulp at worst; the name is that of the vector ABI.
extern "C" __m256d _ZGVdN4v_exp(__m256d);  // NOLINT(bugprone-reserved-identifier)
#endif

namespace nanoatlas::kernels::kokkos {
namespace {

/// In place.
template <int count>
KOKKOS_FUNCTION void exponentials(double (&values)[count]) {
#ifdef NANOATLAS_EXP_OF_FOUR
    static_assert(count % 4 == 0);
    for (int i = 0; i < count; i += 4)
        _mm256_storeu_pd(values + i, _ZGVdN4v_exp(_mm256_loadu_pd(values + i)));
#else
    for (double& value : values) value = Kokkos::exp(value);
#endif
}

// What one register holds.
#if !defined(__GNUC__) || defined(__CUDACC__)
using Lanes = double;
#elif defined(__AVX512F__)
using Lanes = double __attribute__((vector_size(64)));
#elif defined(__AVX__)
using Lanes = double __attribute__((vector_size(32)));
#else
using Lanes = double __attribute__((vector_size(16)));
#endif
constexpr int register_lanes = sizeof(Lanes) / sizeof(double);
// Two registers at a time, so that one's sums need not wait for the other's.
constexpr int lanes = 2 * register_lanes;

// The shells between successive neighbours of one point, as shares of the ball of the k*-th, so
// that neither units nor dimension can make them overflow. Padded with zeros to whole lanes.
struct Shells {
    double* share;
    int count;
    double log_volume;  // of the ball

    // The sums over shells j = 1.. of share * first * factor^(j - 1) * {1, j, j^2}.
    KOKKOS_FUNCTION void moments(double first_power, double factor, double (&sums)[3]) const {
        double powers[lanes], ranks[lanes], leap = 1;
        powers[0] = first_power;
        for (int lane = 0; lane < lanes; ++lane) {
            if (lane > 0) powers[lane] = powers[lane - 1] * factor;
            ranks[lane] = lane + 1;
            leap *= factor;
        }
        Lanes power[2], rank[2], part[3][2];
        for (int half = 0; half < 2; ++half) {
            power[half] = load(powers, half);
            rank[half] = load(ranks, half);
            for (auto& of_moment : part) of_moment[half] = Lanes{};
        }
        for (int first = 0; first < count; first += lanes)
            for (int half = 0; half < 2; ++half) {
                const Lanes expected = load(share + first, half) * power[half];
                const Lanes ranked = rank[half] * expected;
                part[0][half] = part[0][half] + expected;
                part[1][half] = part[1][half] + ranked;
                part[2][half] = part[2][half] + rank[half] * ranked;
                power[half] = power[half] * leap;
                rank[half] = rank[half] + double{lanes};
            }
        for (int s = 0; s < 3; ++s) sums[s] = sum_of(part[s][0] + part[s][1]);
    }

  private:
    KOKKOS_FUNCTION static Lanes load(const double* from, int half) {
        Lanes values;
        std::memcpy(&values, from + half * register_lanes, sizeof values);
        return values;
    }
    KOKKOS_FUNCTION static double sum_of(const Lanes& values) {
        double each[register_lanes], sum = 0;
        std::memcpy(each, &values, sizeof values);
        for (const double value : each) sum += value;
        return sum;
    }
};

// As reference::log_density's maximise(); the powers exp(a j) are products instead of exponentials.
class Ascent {
  public:
    /// It is over before it begins.
    KOKKOS_FUNCTION void end_at(double result) {
        b_ = result;
        is_over_ = true;
    }
    KOKKOS_FUNCTION void begin(double start, const Shells& shells) {
        shells_ = shells;
        start_ = b_ = start;
        a_ = 0;
        is_over_ = false;
    }
    KOKKOS_FUNCTION bool is_over() const { return is_over_; }
    KOKKOS_FUNCTION double result() const { return b_; }

    // A step is in three parts, as several ascents wait less if each part is done for all of them.
    KOKKOS_FUNCTION double log_first_power() const { return b_ + shells_.log_volume + a_; }
    KOKKOS_FUNCTION double log_factor() const { return a_; }
    KOKKOS_FUNCTION void find_moments(double first_power, double factor) {
        shells_.moments(first_power, factor, sums_);
    }
    KOKKOS_FUNCTION void step(int iteration) {
        constexpr double epsilon = 0x1p-52;
        const double k = shells_.count, largest_step = 0.1 * Kokkos::abs(start_);
        const double gradient_b = k - sums_[0], gradient_a = k * (k + 1) / 2 - sums_[1];
        const bool near_zero = Kokkos::abs(a_) <= epsilon || Kokkos::abs(b_) <= epsilon;
        const double distance =
            near_zero ? Kokkos::max(Kokkos::abs(gradient_b), Kokkos::abs(gradient_a))
                      : Kokkos::max(Kokkos::abs(gradient_b / b_), Kokkos::abs(gradient_a / a_));
        if ((iteration > 0 && distance <= 1e-3) || iteration == 10000) return end_at(b_);
        const double determinant = sums_[0] * sums_[2] - sums_[1] * sums_[1];
        if (!(determinant >= epsilon && Kokkos::isfinite(determinant))) return end_at(start_);
        const double step_b = (sums_[1] * gradient_a - sums_[2] * gradient_b) / determinant;
        const double step_a = (sums_[1] * gradient_b - sums_[0] * gradient_a) / determinant;
        const double rate =
            Kokkos::abs(0.1 * step_b) > largest_step ? Kokkos::abs(largest_step / step_b) : 0.1;
        b_ -= rate * step_b;
        a_ -= rate * step_a;
    }

  private:
    Shells shells_{};
    double start_ = 0, b_ = 0, a_ = 0;
    double sums_[3] = {};
    bool is_over_ = true;
};

// A step is a chain of operations that wait for each other.
constexpr int ascents_at_once = 8;

KOKKOS_FUNCTION void maximise(Ascent (&ascents)[ascents_at_once]) {
    for (int iteration = 0;; ++iteration) {
        double powers[2 * ascents_at_once] = {};
        bool any = false;
        for (int i = 0; i < ascents_at_once; ++i) {
            if (ascents[i].is_over()) continue;
            powers[2 * i] = ascents[i].log_first_power();
            powers[2 * i + 1] = ascents[i].log_factor();
            any = true;
        }
        if (!any) return;
        exponentials(powers);
        for (int i = 0; i < ascents_at_once; ++i)
            if (!ascents[i].is_over()) ascents[i].find_moments(powers[2 * i], powers[2 * i + 1]);
        for (auto& ascent : ascents)
            if (!ascent.is_over()) ascent.step(iteration);
    }
}

struct DensityOfRow {
    SeenView<double> distance;
    int k;
    double dimension, log_unit_ball;

    /// share [used, filled up to lanes]: room to work in, until the ascent is over
    KOKKOS_FUNCTION void prepare(Ascent& ascent, std::size_t row, int used, double* share) const {
        const double* radius = &distance(row * static_cast<std::size_t>(k));
        const double log_last = Kokkos::log(radius[used - 1]);
        const Shells shells{share, used, log_unit_ball + dimension * log_last};
        const double start = Kokkos::log(static_cast<double>(used)) - shells.log_volume;
        // A shell below 1e-300 in the data's units tells nothing of a gradient.
        const double vanishing = Kokkos::exp(-300 * std::numbers::ln10 - shells.log_volume);
        const double thin = -Kokkos::expm1(-1e-14 * dimension);  // of two equal radii
        double inner = 0;
        for (int j = 0; j < used; ++j) {
            const double ball = Kokkos::exp(dimension * (Kokkos::log(radius[j]) - log_last));
            const bool equal = j > 0 && Kokkos::abs(radius[j - 1] / radius[j] - 1) < 1e-15;
            share[j] = equal ? ball * thin : ball - inner;
            if (!(share[j] >= vanishing)) return ascent.end_at(start);
            inner = ball;
        }
        for (int j = used; j % lanes != 0; ++j) share[j] = 0;
        ascent.begin(start, shells);
    }
};

}  // namespace

std::vector<double> kstar_ratio_limits(double dimension, int k) {
    std::vector<double> limits(static_cast<std::size_t>(k));
    for (std::size_t rank = 1; rank < limits.size(); ++rank) {
        const double x = reference::kstar_threshold / (4 * static_cast<double>(rank));
        const double arcosh_of_exp = x + std::log1p(std::sqrt(-std::expm1(-2 * x)));
        limits[rank] = std::exp(2 / dimension * arcosh_of_exp);
    }
    return limits;
}

void extend_kstar(std::span<const double> distance, int k, std::span<const double> limits,
                  std::span<const double> partner, int first_rank, int width,
                  std::span<std::int32_t> kstar, std::span<std::uint8_t> open) {
    const auto distances = on_device(distance);
    const auto bounds = on_device(limits);
    const auto partners = on_device(partner);
    const auto chosen = on_device_for_update(kstar);
    const auto is_open = on_device_for_update(open);
    for_each_row(
        "density/kstar", kstar.size(), KOKKOS_LAMBDA(std::size_t row) {
            if (is_open(row) == 0) return;
            for (int i = 0; i < width; ++i) {
                const int rank = first_rank + i;
                const double own = distances(row * k + rank - 1);
                const double other = partners(row * width + i);
                if (Kokkos::max(own, other) > bounds(rank) * Kokkos::min(own, other)) {
                    chosen(row) = rank;
                    is_open(row) = 0;
                    return;
                }
            }
            chosen(row) = first_rank + width;
        });
    Kokkos::fence();
    copy_back(chosen, kstar);
    copy_back(is_open, open);
}

void log_density(std::span<const double> distance, int k, double dimension,
                 std::span<const std::int32_t> kstar, std::span<double> result) {
    constexpr std::size_t block = 32;
    const std::size_t n = kstar.size();
    const auto used = on_device(kstar);
    const auto out = room_on_device(result);
    const DensityOfRow density{
        on_device(distance), k, dimension,
        dimension / 2 * std::log(std::numbers::pi) - std::lgamma((dimension + 2) / 2)};
    const std::size_t room = (static_cast<std::size_t>(k) / lanes + 1) * lanes;
    auto policy = Teams(static_cast<int>((n + block - 1) / block), 1);
    policy.set_scratch_size(1,
                            Kokkos::PerThread(Scratch<double>::shmem_size(room * ascents_at_once)));
    Kokkos::parallel_for(
        "density/pak", policy, KOKKOS_LAMBDA(const Team& team) {
            const Scratch<double> share(team.thread_scratch(1), room * ascents_at_once);
            const std::size_t first = static_cast<std::size_t>(team.league_rank()) * block;
            const std::size_t end = Kokkos::min(first + block, n);
            for (std::size_t row = first; row < end; row += ascents_at_once) {
                Ascent ascents[ascents_at_once];
                for (std::size_t i = 0; i < ascents_at_once && row + i < end; ++i)
                    density.prepare(ascents[i], row + i, used(row + i), share.data() + i * room);
                maximise(ascents);
                for (std::size_t i = 0; i < ascents_at_once && row + i < end; ++i)
                    out(row + i) = ascents[i].result();
            }
        });
    Kokkos::fence();
    copy_back(out, result);
}

}  // namespace nanoatlas::kernels::kokkos
