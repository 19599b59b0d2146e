// GELU by an error function without branches, a register of values at a time.
#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <numbers>

#include "kernels/onednn/loops.hpp"
#include "kernels/onednn/register_tile.hpp"

namespace nanoatlas::kernels::onednn {
namespace {

using Lanes = TileLanes;
using Bits = std::int32_t __attribute__((vector_size(sizeof(Lanes))));

constexpr Lanes all(float value) {
    return Lanes{} + value;
}

/// e^x of x <= 0 within 2 units in the last place: 2^n e^r with |r| <= log(2) / 2 and a polynomial
/// of the Cephes library for e^r.
inline Lanes exponential(Lanes x) {
    x = x < -87.0F ? all(-87.0F) : x;
    // The sum's last bit is worth 1, so it rounds.
    constexpr float rounding = 12582912.0F;
    const Lanes n = (x * std::numbers::log2e_v<float> + rounding) - rounding;
    const Lanes r = (x - n * 0.693359375F) + n * 2.12194440e-4F;
    Lanes sum = all(1.9875691500e-4F);
    sum = sum * r + 1.3981999507e-3F;
    sum = sum * r + 8.3334519073e-3F;
    sum = sum * r + 4.1665795894e-2F;
    sum = sum * r + 1.6666665459e-1F;
    sum = sum * r + 5.0000001201e-1F;
    sum = sum * (r * r) + r + 1.0F;
    return sum * std::bit_cast<Lanes>((__builtin_convertvector(n, Bits) + 127) << 23);
}

/// erf(x) within 2 units in the last place. Near 0 an odd polynomial, else 1 - e^p(|x|); minimax
/// polynomials by N. Juffa, stackoverflow.com/a/35148199.
inline Lanes error_function(Lanes x) {
    const Bits sign = std::bit_cast<Bits>(x) & std::numeric_limits<std::int32_t>::min();
    const Lanes t = std::bit_cast<Lanes>(std::bit_cast<Bits>(x) ^ sign), s = x * x;
    Lanes far = -1.72853470e-5F * t + 3.83197126e-4F;
    far = far * s + (-3.88396438e-3F * t + 2.42546219e-2F);
    far = far * t - 1.06777877e-1F;
    far = far * t - 6.34846687e-1F;
    far = far * t - 1.28717512e-1F;
    far = 1.0F - exponential(far * t - t);
    far = std::bit_cast<Lanes>(std::bit_cast<Bits>(far) | sign);
    Lanes near = all(-5.96761703e-4F);
    near = near * s + 4.99119423e-3F;
    near = near * s - 2.67681349e-2F;
    near = near * s + 1.12819925e-1F;
    near = near * s - 3.76125336e-1F;
    near = near * s + 1.28379166e-1F;
    near = near * x + x;
    return t > 0.927734375F ? far : near;
}

/// P(X <= x) of a standard normal X.
inline Lanes normal_below(Lanes x) {
    return 0.5F * (1.0F + error_function(x * (1 / std::numbers::sqrt2_v<float>)));
}

inline Lanes normal_density(Lanes x) {
    constexpr float height = std::numbers::inv_sqrtpi_v<float> / std::numbers::sqrt2_v<float>;
    return height * exponential(-0.5F * x * x);
}

template <class T>
Lanes load_some(const T* from, std::int64_t count) {
    float values[tile_lanes] = {};
    if (count == tile_lanes)
        for (int i = 0; i < tile_lanes; ++i) values[i] = load(from[i]);
    else
        for (std::int64_t i = 0; i < count; ++i) values[i] = load(from[i]);
    Lanes lanes;
    std::memcpy(&lanes, values, sizeof lanes);
    return lanes;
}

template <class T>
void store_some(Lanes lanes, std::int64_t count, T* to) {
    float values[tile_lanes];
    std::memcpy(values, &lanes, sizeof lanes);
    if (count == tile_lanes)
        for (int i = 0; i < tile_lanes; ++i) store(values[i], to[i]);
    else
        for (std::int64_t i = 0; i < count; ++i) store(values[i], to[i]);
}

/// work(first element, count) for each register's elements.
template <class Work>
void for_each_register(std::int64_t elements, const Work& work) {
#pragma omp parallel for schedule(static)
    for (std::int64_t first = 0; first < elements; first += tile_lanes)
        work(first, std::min<std::int64_t>(tile_lanes, elements - first));
}

}  // namespace

template <class T>
void gelu(const T* x, std::int64_t elements, T* y) {
    for_each_register(elements, [=](std::int64_t first, std::int64_t count) {
        const Lanes value = load_some(x + first, count);
        store_some(value * normal_below(value), count, y + first);
    });
}

template <class T>
void gelu_backward(const T* dy, const T* x, std::int64_t elements, T* dx) {
    for_each_register(elements, [=](std::int64_t first, std::int64_t count) {
        const Lanes value = load_some(x + first, count);
        const Lanes slope = normal_below(value) + value * normal_density(value);
        store_some(load_some(dy + first, count) * slope, count, dx + first);
    });
}

#define NANOATLAS_INSTANTIATE(T)                    \
    template void gelu(const T*, std::int64_t, T*); \
    template void gelu_backward(const T*, const T*, std::int64_t, T*);

NANOATLAS_INSTANTIATE(float)
NANOATLAS_INSTANTIATE(BFloat16)

}  // namespace nanoatlas::kernels::onednn
