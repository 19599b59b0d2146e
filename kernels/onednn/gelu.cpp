// GELU by an error function without branches, which the compiler turns into SIMD.
#include <bit>
#include <cmath>
#include <numbers>

#include "kernels/onednn/loops.hpp"

namespace nanoatlas::kernels::onednn {
namespace {

/// e^x of x <= 0 within 2 units in the last place: 2^n e^r with |r| <= log(2) / 2 and a polynomial
/// of the Cephes library for e^r.
inline float exponential(float x) {
    x = x < -87.0F ? -87.0F : x;
    // The sum's last bit is worth 1, so it rounds.
    constexpr float rounding = 12582912.0F;
    const float n = (x * std::numbers::log2e_v<float> + rounding) - rounding;
    const float r = (x - n * 0.693359375F) + n * 2.12194440e-4F;
    float sum = 1.9875691500e-4F;
    sum = sum * r + 1.3981999507e-3F;
    sum = sum * r + 8.3334519073e-3F;
    sum = sum * r + 4.1665795894e-2F;
    sum = sum * r + 1.6666665459e-1F;
    sum = sum * r + 5.0000001201e-1F;
    sum = sum * (r * r) + r + 1.0F;
    return sum * std::bit_cast<float>((static_cast<std::int32_t>(n) + 127) << 23);
}

/// erf(x) within 2 units in the last place. Near 0 an odd polynomial, else 1 - e^p(|x|); minimax
/// polynomials by N. Juffa, stackoverflow.com/a/35148199.
inline float error_function(float x) {
    const float t = std::abs(x), s = x * x;
    float far = -1.72853470e-5F * t + 3.83197126e-4F;
    far = far * s + (-3.88396438e-3F * t + 2.42546219e-2F);
    far = far * t - 1.06777877e-1F;
    far = far * t - 6.34846687e-1F;
    far = far * t - 1.28717512e-1F;
    far = 1.0F - exponential(far * t - t);
    float near = -5.96761703e-4F;
    near = near * s + 4.99119423e-3F;
    near = near * s - 2.67681349e-2F;
    near = near * s + 1.12819925e-1F;
    near = near * s - 3.76125336e-1F;
    near = near * s + 1.28379166e-1F;
    near = near * x + x;
    return t > 0.927734375F ? std::copysign(far, x) : near;
}

/// P(X <= x) of a standard normal X.
inline float normal_below(float x) {
    return 0.5F * (1.0F + error_function(x * (1 / std::numbers::sqrt2_v<float>)));
}

inline float normal_density(float x) {
    constexpr float height = std::numbers::inv_sqrtpi_v<float> / std::numbers::sqrt2_v<float>;
    return height * exponential(-0.5F * x * x);
}

}  // namespace

template <class T>
void gelu(const T* x, std::int64_t elements, T* y) {
#pragma omp parallel for simd schedule(static)
    for (std::int64_t i = 0; i < elements; ++i) {
        const float value = load(x[i]);
        store(value * normal_below(value), y[i]);
    }
}

template <class T>
void gelu_backward(const T* dy, const T* x, std::int64_t elements, T* dx) {
#pragma omp parallel for simd schedule(static)
    for (std::int64_t i = 0; i < elements; ++i) {
        const float value = load(x[i]);
        store(load(dy[i]) * (normal_below(value) + value * normal_density(value)), dx[i]);
    }
}

#define NANOATLAS_INSTANTIATE(T)                    \
    template void gelu(const T*, std::int64_t, T*); \
    template void gelu_backward(const T*, const T*, std::int64_t, T*);

NANOATLAS_INSTANTIATE(float)
NANOATLAS_INSTANTIATE(BFloat16)

}  // namespace nanoatlas::kernels::onednn
