// Random numbers as functions of (seed, stream, index): the same on any rank and thread.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <string_view>
#include <utility>
#include <vector>

namespace nanoatlas::base {

/// Finaliser of splitmix64 (Steele, Lea, Flood, OOPSLA 2014): a bijection that mixes all bits.
constexpr std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
}

/// 64-bit FNV-1a of a text: names as stream numbers.
constexpr std::uint64_t fnv1a(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325ULL;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    return hash;
}

/// A stream of random numbers that is a function of its keys alone; cheap to make, so make one for
/// each (seed, epoch, sample). Counter-based: number i of a stream is mix(key + i * golden ratio).
/// Usable as a UniformRandomBitGenerator, but prefer the members: the distributions of <random>
/// differ between standard libraries.
class Random {
  public:
    using result_type = std::uint64_t;

    template <class... Keys>
    explicit constexpr Random(std::uint64_t seed, Keys... keys) : key_(mix(seed + golden)) {
        ((key_ = mix(key_ ^ (static_cast<std::uint64_t>(keys) + golden))), ...);
    }

    constexpr std::uint64_t operator()() { return mix(key_ + ++counter_ * golden); }
    static constexpr std::uint64_t min() { return 0; }
    static constexpr std::uint64_t max() { return ~std::uint64_t{0}; }

    /// In [0, 1).
    constexpr double uniform() { return static_cast<double>((*this)() >> 11) * 0x1.0p-53; }
    constexpr double uniform(double low, double high) { return low + (high - low) * uniform(); }
    /// In [0, n), n > 0; the bias is below n / 2^64.
    constexpr std::uint64_t below(std::uint64_t n) {
        __extension__ using Wide = unsigned __int128;
        return static_cast<std::uint64_t>((static_cast<Wide>((*this)()) * n) >> 64);
    }
    constexpr bool chance(double probability) { return uniform() < probability; }
    /// Standard normal, Box-Muller.
    double normal() {
        const double radius = std::sqrt(-2 * std::log(1 - uniform()));
        return radius * std::cos(2 * std::numbers::pi * uniform());
    }

  private:
    static constexpr std::uint64_t golden = 0x9E3779B97F4A7C15ULL;
    std::uint64_t key_;
    std::uint64_t counter_ = 0;
};

/// A permutation of 0..n-1 (Fisher-Yates).
inline std::vector<std::int64_t> permutation(std::int64_t n, Random random) {
    std::vector<std::int64_t> order(static_cast<std::size_t>(n));
    for (std::int64_t i = 0; i < n; ++i) order[static_cast<std::size_t>(i)] = i;
    for (std::int64_t i = n - 1; i > 0; --i)
        std::swap(order[static_cast<std::size_t>(i)],
                  order[random.below(static_cast<std::uint64_t>(i) + 1)]);
    return order;
}

}  // namespace nanoatlas::base
