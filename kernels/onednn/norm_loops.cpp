#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <type_traits>
#include <vector>

#include "kernels/onednn/lanes.hpp"
#include "kernels/onednn/loops.hpp"
#include "kernels/onednn/thread_sums.hpp"

namespace nanoatlas::kernels::onednn {
namespace {

/// Rows whose values are added in f32 before they meet the sums, which are f64. Read a few channels
/// at a time, they are no stream that the processor would fetch ahead of itself: the loops ask for
/// the next block's values.
constexpr int block_rows = 8;

/// Calls add.operator()<n>(row) for blocks of n rows.
template <class Add>
void by_blocks(const Range& range, const Add& add) {
    std::int64_t row = range.first;
    for (; row + block_rows <= range.last; row += block_rows)
        add.template operator()<block_rows>(row);
    for (; row < range.last; ++row) add.template operator()<1>(row);
}

/// One channel's value, or those of as many as a register holds.
template <class V, class T>
V load_as(const T* from) {
    if constexpr (std::is_same_v<V, float>)
        return load(*from);
    else
        return load_register(from);
}

inline void add_to(double* to, float value) {
    *to += static_cast<double>(value);
}
inline void add_to(double* to, const RegisterLanes& values) {
    using Wide = double __attribute__((vector_size(register_lanes * sizeof(double))));
    Wide sums;
    std::memcpy(&sums, to, sizeof sums);
    sums += __builtin_convertvector(values, Wide);
    std::memcpy(to, &sums, sizeof sums);
}

/// Calls work.operator()<V>(c) for all channels, in registers and the rest one by one.
template <class Work>
void by_lanes(std::int64_t channels, const Work& work) {
    std::int64_t c = 0;
    for (; c + register_lanes <= channels; c += register_lanes)
        work.template operator()<RegisterLanes>(c);
    for (; c < channels; ++c) work.template operator()<float>(c);
}

/// Adds some rows' distances from an origin, and their squares.
template <int rows, class T>
void sum_distances(const T* x, std::int64_t channels, const float* origin, double* sums) {
    by_lanes(channels, [&]<class V>(std::int64_t c) {
        V sum{}, square{};
        const V from = load_as<V>(origin + c);
#pragma GCC unroll 8
        for (int row = 0; row < rows; ++row) {
            __builtin_prefetch(x + (rows + row) * channels + c);
            const V distance = load_as<V>(x + row * channels + c) - from;
            sum += distance;
            square += distance * distance;
        }
        add_to(sums + c, sum);
        add_to(sums + channels + c, square);
    });
}

/// Sums about an origin become sums of x and of its square.
void move_origin(std::int64_t rows, std::int64_t channels, const float* origin, double* sums) {
    const auto n = static_cast<double>(rows);
    for (std::int64_t c = 0; c < channels; ++c) {
        const double o = origin[c], sum = sums[c];
        sums[c] = sum + n * o;
        sums[channels + c] += o * (2 * sum + n * o);
    }
}

template <Activation activation>
float activate(float value) {
    if constexpr (activation != Activation::none) value = value < 0 ? 0 : value;
    if constexpr (activation == Activation::relu6) value = value > 6 ? 6 : value;
    return value;
}

template <Activation activation, class V>
V pass_on(const V& gradient, const V& y) {
    const V zero{};
    V passed = gradient;
    if constexpr (activation != Activation::none) passed = y > zero ? passed : zero;
    if constexpr (activation == Activation::relu6) passed = y < zero + 6.0F ? passed : zero;
    return passed;
}

/// What a norm puts out without an addend: the same rounding wherever it is computed.
template <class V>
V norm_value(const V& x, const V& mean, const V& scale, const V& shift) {
    return (x - mean) * scale + shift;
}

template <Activation activation, bool has_addend, class T>
void normalise(const T* x, const T* addend, std::int64_t rows, std::int64_t channels,
               const NormCoefficients& by, T* y) {
#pragma omp parallel for schedule(static)
    for (std::int64_t row = 0; row < rows; ++row) {
        const std::int64_t first = row * channels;
#pragma omp simd
        for (std::int64_t c = 0; c < channels; ++c) {
            float value = norm_value(load(x[first + c]), by.mean[c], by.scale[c], by.shift[c]);
            if constexpr (has_addend) value += load(addend[first + c]);
            store(activate<activation>(value), y[first + c]);
        }
    }
}

template <Activation activation, class T>
void normalise(const T* x, const T* addend, std::int64_t rows, std::int64_t channels,
               const NormCoefficients& by, T* y) {
    if (addend == nullptr)
        normalise<activation, false>(x, addend, rows, channels, by, y);
    else
        normalise<activation, true>(x, addend, rows, channels, by, y);
}

/// One row: its gradients are summed into sum (f32), led back through the activation, stored in g
/// unless that is null, and added to the sums.
template <Activation activation, class T>
class GradientRow {
  public:
    GradientRow(Addends gradients, const T* y, const T* x, std::int64_t channels, const float* mean,
                T* g)
        : gradients_(gradients), y_(y), x_(x), channels_(channels), mean_(mean), g_(g) {}

    void operator()(std::int64_t row, float* __restrict sum, double* __restrict sums) const {
        const std::int64_t first = row * channels_;
        add_gradients(first, sum);
        if constexpr (activation != Activation::none) {
#pragma omp simd
            for (std::int64_t c = 0; c < channels_; ++c)
                sum[c] = pass_on<activation>(sum[c], load(y_[first + c]));
        }
        double* __restrict products = sums + channels_;
#pragma omp simd
        for (std::int64_t c = 0; c < channels_; ++c) {
            const double gradient = sum[c];
            sums[c] += gradient;
            products[c] += gradient * (static_cast<double>(load(x_[first + c])) - mean_[c]);
        }
        if (g_ == nullptr) return;
#pragma omp simd
        for (std::int64_t c = 0; c < channels_; ++c) store(sum[c], g_[first + c]);
    }

  private:
    void add_gradients(std::int64_t first, float* __restrict sum) const {
        const auto part = [&](std::size_t i) {
            return static_cast<const T*>(gradients_[i]) + first;
        };
        const T* head = part(0);
#pragma omp simd
        for (std::int64_t c = 0; c < channels_; ++c) sum[c] = load(head[c]);
        for (std::size_t i = 1; i < gradients_.size(); ++i) {
            const T* next = part(i);
#pragma omp simd
            for (std::int64_t c = 0; c < channels_; ++c) sum[c] += load(next[c]);
        }
    }

    Addends gradients_;
    const T* y_;
    const T* x_;
    std::int64_t channels_;
    const float* mean_;
    T* g_;
};

/// Adds some rows' gradients, found again from x, to the sums.
template <Activation activation, int rows, class T>
void sum_passed_on(const T* dy, const T* x, std::int64_t channels, const NormCoefficients& by,
                   double* sums) {
    by_lanes(channels, [&]<class V>(std::int64_t c) {
        V sum{}, product{};
        const V mean = load_as<V>(by.mean + c), scale = load_as<V>(by.scale + c);
        const V shift = load_as<V>(by.shift + c);
#pragma GCC unroll 8
        for (int row = 0; row < rows; ++row) {
            __builtin_prefetch(x + (rows + row) * channels + c);
            __builtin_prefetch(dy + (rows + row) * channels + c);
            const V value = load_as<V>(x + row * channels + c);
            const V gradient = pass_on<activation>(load_as<V>(dy + row * channels + c),
                                                   norm_value(value, mean, scale, shift));
            sum += gradient;
            product += gradient * (value - mean);
        }
        add_to(sums + c, sum);
        add_to(sums + channels + c, product);
    });
}

template <Activation activation, class T>
void sum_passed_on_rows(const T* dy, const T* x, std::int64_t rows, std::int64_t channels,
                        const NormCoefficients& by, double* sums) {
    sum_over_threads(rows, 2 * channels, sums, [&](const Range& range, double* own) {
        by_blocks(range, [&]<int count>(std::int64_t row) {
            sum_passed_on<activation, count>(dy + row * channels, x + row * channels, channels, by,
                                             own);
        });
    });
}

template <Activation activation, class T>
void put_passed_on(const T* dy, const T* x, std::int64_t rows, std::int64_t channels,
                   const NormCoefficients& by, const NormGradientCoefficients& gradient, T* dx) {
#pragma omp parallel for schedule(static)
    for (std::int64_t row = 0; row < rows; ++row) {
        const std::int64_t first = row * channels;
#pragma omp simd
        for (std::int64_t c = 0; c < channels; ++c) {
            const float value = load(x[first + c]);
            const float g = pass_on<activation>(
                load(dy[first + c]), norm_value(value, by.mean[c], by.scale[c], by.shift[c]));
            store(gradient.by_gradient[c] * g + gradient.by_input[c] * (value - gradient.mean[c]) +
                      gradient.constant[c],
                  dx[first + c]);
        }
    }
}

template <class T, class Row>
void sum_gradient_rows(std::int64_t rows, std::int64_t channels, const Row& row, double* sums) {
    sum_over_threads(rows, 2 * channels, sums, [&](const Range& range, double* own) {
        std::vector<float> sum(static_cast<std::size_t>(channels));
        for (std::int64_t i = range.first; i < range.last; ++i) row(i, sum.data(), own);
    });
}

/// Calls work for one of the activations that norms put out.
template <class Work>
void with_activation(Activation activation, const Work& work) {
    switch (activation) {
        case Activation::none:
            return work.template operator()<Activation::none>();
        case Activation::relu:
            return work.template operator()<Activation::relu>();
        case Activation::relu6:
            return work.template operator()<Activation::relu6>();
        case Activation::gelu:
            throw std::invalid_argument("no norm puts out GELU");
    }
}

}  // namespace

/// About the first row, which is near enough to the mean for squares in f32.
template <class T>
void norm_sums(const T* x, std::int64_t rows, std::int64_t channels, double* sums) {
    std::vector<float> origin(static_cast<std::size_t>(channels));
    for (std::size_t c = 0; c < origin.size(); ++c) origin[c] = load(x[c]);
    sum_over_threads(rows, 2 * channels, sums, [&](const Range& range, double* own) {
        by_blocks(range, [&]<int count>(std::int64_t row) {
            sum_distances<count>(x + row * channels, channels, origin.data(), own);
        });
    });
    move_origin(rows, channels, origin.data(), sums);
}

template <class T>
void norm_forward(const T* x, const T* addend, std::int64_t rows, std::int64_t channels,
                  const NormCoefficients& coefficients, Activation activation, T* y) {
    with_activation(activation, [&]<Activation which>() {
        normalise<which>(x, addend, rows, channels, coefficients, y);
    });
}

template <class T>
void norm_backward_sums(Addends gradients, const T* y, const T* x, std::int64_t rows,
                        std::int64_t channels, const float* mean, Activation activation, T* g,
                        double* sums) {
    with_activation(activation, [&]<Activation which>() {
        sum_gradient_rows<T>(rows, channels,
                             GradientRow<which, T>(gradients, y, x, channels, mean, g), sums);
    });
}

template <class T>
void norm_backward_data(const T* g, const T* x, std::int64_t rows, std::int64_t channels,
                        const NormGradientCoefficients& by, T* dx) {
#pragma omp parallel for schedule(static)
    for (std::int64_t row = 0; row < rows; ++row) {
        const std::int64_t first = row * channels;
#pragma omp simd
        for (std::int64_t c = 0; c < channels; ++c)
            store(by.by_gradient[c] * load(g[first + c]) +
                      by.by_input[c] * (load(x[first + c]) - by.mean[c]) + by.constant[c],
                  dx[first + c]);
    }
}

template <class T>
void norm_backward_sums(const T* dy, const T* x, std::int64_t rows, std::int64_t channels,
                        const NormCoefficients& by, Activation activation, double* sums) {
    with_activation(activation, [&]<Activation which>() {
        sum_passed_on_rows<which>(dy, x, rows, channels, by, sums);
    });
}

template <class T>
void norm_backward_data(const T* dy, const T* x, std::int64_t rows, std::int64_t channels,
                        const NormCoefficients& by, Activation activation,
                        const NormGradientCoefficients& coefficients, T* dx) {
    with_activation(activation, [&]<Activation which>() {
        put_passed_on<which>(dy, x, rows, channels, by, coefficients, dx);
    });
}

#define NANOATLAS_INSTANTIATE(T)                                                              \
    template void norm_sums(const T*, std::int64_t, std::int64_t, double*);                   \
    template void norm_forward(const T*, const T*, std::int64_t, std::int64_t,                \
                               const NormCoefficients&, Activation, T*);                      \
    template void norm_backward_sums(Addends, const T*, const T*, std::int64_t, std::int64_t, \
                                     const float*, Activation, T*, double*);                  \
    template void norm_backward_data(const T*, const T*, std::int64_t, std::int64_t,          \
                                     const NormGradientCoefficients&, T*);                    \
    template void norm_backward_sums(const T*, const T*, std::int64_t, std::int64_t,          \
                                     const NormCoefficients&, Activation, double*);           \
    template void norm_backward_data(const T*, const T*, std::int64_t, std::int64_t,          \
                                     const NormCoefficients&, Activation,                     \
                                     const NormGradientCoefficients&, T*);

NANOATLAS_INSTANTIATE(float)
NANOATLAS_INSTANTIATE(BFloat16)

}  // namespace nanoatlas::kernels::onednn
