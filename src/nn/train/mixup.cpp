#include "nn/train/mixup.hpp"

#include <cmath>

#include "base/random.hpp"

namespace nanoatlas::nn {
namespace {

/// Logarithm of a gamma variate (Marsaglia, Tsang, ACM TOMS 26 (2000) 363; their boost for shapes
/// below 1, as a logarithm because the variate itself underflows for small ones).
double log_gamma_variate(double shape, base::Random& random) {
    const double d = shape + 1 - 1.0 / 3, c = 1 / std::sqrt(9 * d);
    while (true) {
        const double x = random.normal(), v = std::pow(1 + c * x, 3);
        if (v <= 0) continue;
        if (std::log(1 - random.uniform()) < x * x / 2 + d - d * v + d * std::log(v))
            return std::log(d * v) + std::log(1 - random.uniform()) / shape;
    }
}

}  // namespace

Mixing draw_mixing(double alpha, std::uint64_t seed, std::int64_t pass, std::int64_t samples) {
    Mixing mixing{.partner = base::permutation(
                      samples, base::Random(seed, base::fnv1a("mixup partners"), pass)),
                  .share = {}};
    for (std::int64_t i = 0; i < samples; ++i) {
        base::Random random(seed, base::fnv1a("mixup"), pass, i);
        const double a = log_gamma_variate(alpha, random), b = log_gamma_variate(alpha, random);
        mixing.share.push_back(static_cast<float>(1 / (1 + std::exp(b - a))));
    }
    return mixing;
}

}  // namespace nanoatlas::nn
