#include "kernels/onednn/quantised_loops.hpp"

#include <limits>
#include <type_traits>

#include "kernels/onednn/element.hpp"

namespace nanoatlas::kernels::onednn {
namespace {

/// What lies between, as stored in y.
struct Bounds {
    float low, high;
};

template <class Y>
Bounds bounds_of(const Rescaling& how) {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    Bounds bounds{-infinity, infinity};
    if constexpr (!std::is_same_v<Y, float>)
        bounds = {std::numeric_limits<Y>::min(), std::numeric_limits<Y>::max()};
    if (how.activation != Activation::none) bounds.low = std::max(bounds.low, 0.0F);
    if (how.activation == Activation::relu6) bounds.high = std::min(bounds.high, 6 / how.y.scale);
    return bounds;
}

template <class Y>
Y element(float value, const Bounds& bounds) {
    const float bounded = std::min(std::max(value, bounds.low), bounds.high);
    if constexpr (std::is_same_v<Y, float>) return bounded;
    // Through int, for which processors have an instruction.
    return static_cast<Y>(static_cast<int>(std::nearbyint(bounded)));
}

/// One factor for all, so rows don't matter.
template <class X, class Y>
void rescale_all(const X* x, std::int64_t elements, const Rescaling& how, Y* y) {
    const float factor = how.x.scale / how.y.scale;
    const auto bounds = bounds_of<Y>(how);
#pragma omp parallel for simd schedule(static)
    for (std::int64_t i = 0; i < elements; ++i) y[i] = element<Y>(load(x[i]) * factor, bounds);
}

template <class X, class Y>
void rescale_rows(const X* x, std::int64_t rows, std::int64_t channels, const Rescaling& how,
                  Y* y) {
    std::vector<float> factors(how.factors.begin(), how.factors.end());
    std::vector<float> shifts(how.shifts.begin(), how.shifts.end());
    for (auto& factor : factors) factor *= how.x.scale / how.y.scale;
    for (auto& shift : shifts) shift /= how.y.scale;
    const auto bounds = bounds_of<Y>(how);
#pragma omp parallel for schedule(static)
    for (std::int64_t row = 0; row < rows; ++row) {
        const float* __restrict factor = factors.data();
        const float* __restrict shift = shifts.data();
        const X* __restrict from = x + row * channels;
        Y* __restrict to = y + row * channels;
#pragma omp simd
        for (std::int64_t c = 0; c < channels; ++c)
            to[c] = element<Y>(load(from[c]) * factor[c] + shift[c], bounds);
    }
}

/// work(an element's null pointer of the type)
template <class Work>
void with_type(Element element, const Work& work) {
    switch (element) {
        case Element::s8:
            return work(static_cast<std::int8_t*>(nullptr));
        case Element::u8:
            return work(static_cast<std::uint8_t*>(nullptr));
        case Element::f32:
            return work(static_cast<float*>(nullptr));
    }
}

}  // namespace

void rescale(const void* x, std::int64_t rows, std::int64_t channels, const Rescaling& how,
             void* y) {
    with_type(how.x.element, [&]<class X>(X*) {
        with_type(how.y.element, [&]<class Y>(Y*) {
            const auto* from = static_cast<const X*>(x);
            auto* to = static_cast<Y*>(y);
            if (how.factors.empty())
                rescale_all(from, rows * channels, how, to);
            else
                rescale_rows(from, rows, channels, how, to);
        });
    });
}

}  // namespace nanoatlas::kernels::onednn
