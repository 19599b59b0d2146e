#include <algorithm>
#include <stdexcept>
#include <vector>

#include "kernels/onednn/loops.hpp"
#include "kernels/onednn/thread_sums.hpp"

namespace nanoatlas::kernels::onednn {
namespace {

/// Rows whose values are added in registers before they meet the sums in memory.
constexpr std::int64_t unroll = 4;

template <class T>
void sum_row_block(const T* x, std::int64_t channels, double* __restrict sums) {
    double* __restrict squares = sums + channels;
#pragma omp simd
    for (std::int64_t c = 0; c < channels; ++c) {
        const double a = load(x[c]), b = load(x[channels + c]);
        const double d = load(x[2 * channels + c]), e = load(x[3 * channels + c]);
        sums[c] += (a + b) + (d + e);
        squares[c] += (a * a + b * b) + (d * d + e * e);
    }
}

template <class T>
void sum_row(const T* x, std::int64_t channels, double* __restrict sums) {
    double* __restrict squares = sums + channels;
#pragma omp simd
    for (std::int64_t c = 0; c < channels; ++c) {
        const double value = load(x[c]);
        sums[c] += value;
        squares[c] += value * value;
    }
}

template <Activation activation>
float activate(float value) {
    if constexpr (activation != Activation::none) value = value < 0 ? 0 : value;
    if constexpr (activation == Activation::relu6) value = value > 6 ? 6 : value;
    return value;
}

template <Activation activation>
float pass_on(float gradient, float y) {
    if constexpr (activation == Activation::relu) return y > 0 ? gradient : 0;
    if constexpr (activation == Activation::relu6) return y > 0 && y < 6 ? gradient : 0;
    return gradient;
}

template <Activation activation, bool has_addend, class T>
void normalise(const T* x, const T* addend, std::int64_t rows, std::int64_t channels,
               const NormCoefficients& by, T* y) {
#pragma omp parallel for schedule(static)
    for (std::int64_t row = 0; row < rows; ++row) {
        const std::int64_t first = row * channels;
#pragma omp simd
        for (std::int64_t c = 0; c < channels; ++c) {
            float value = (load(x[first + c]) - by.mean[c]) * by.scale[c] + by.shift[c];
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

template <class T, class Row>
void sum_gradient_rows(std::int64_t rows, std::int64_t channels, const Row& row, double* sums) {
    sum_over_threads(rows, 2 * channels, sums, [&](const Range& range, double* own) {
        std::vector<float> sum(static_cast<std::size_t>(channels));
        for (std::int64_t i = range.first; i < range.last; ++i) row(i, sum.data(), own);
    });
}

}  // namespace

template <class T>
void norm_sums(const T* x, std::int64_t rows, std::int64_t channels, double* sums) {
    sum_over_threads(rows, 2 * channels, sums, [&](const Range& range, double* own) {
        std::int64_t row = range.first;
        for (; row + unroll <= range.last; row += unroll)
            sum_row_block(x + row * channels, channels, own);
        for (; row < range.last; ++row) sum_row(x + row * channels, channels, own);
    });
}

template <class T>
void norm_forward(const T* x, const T* addend, std::int64_t rows, std::int64_t channels,
                  const NormCoefficients& coefficients, Activation activation, T* y) {
    switch (activation) {
        case Activation::none:
            return normalise<Activation::none>(x, addend, rows, channels, coefficients, y);
        case Activation::relu:
            return normalise<Activation::relu>(x, addend, rows, channels, coefficients, y);
        case Activation::relu6:
            return normalise<Activation::relu6>(x, addend, rows, channels, coefficients, y);
        case Activation::gelu:
            throw std::invalid_argument("no norm puts out GELU");
    }
}

template <class T>
void norm_backward_sums(Addends gradients, const T* y, const T* x, std::int64_t rows,
                        std::int64_t channels, const float* mean, Activation activation, T* g,
                        double* sums) {
    const auto run = [&]<Activation which>() {
        sum_gradient_rows<T>(rows, channels,
                             GradientRow<which, T>(gradients, y, x, channels, mean, g), sums);
    };
    switch (activation) {
        case Activation::none:
            return run.template operator()<Activation::none>();
        case Activation::relu:
            return run.template operator()<Activation::relu>();
        case Activation::relu6:
            return run.template operator()<Activation::relu6>();
        case Activation::gelu:
            throw std::invalid_argument("no norm puts out GELU");
    }
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

#define NANOATLAS_INSTANTIATE(T)                                                              \
    template void norm_sums(const T*, std::int64_t, std::int64_t, double*);                   \
    template void norm_forward(const T*, const T*, std::int64_t, std::int64_t,                \
                               const NormCoefficients&, Activation, T*);                      \
    template void norm_backward_sums(Addends, const T*, const T*, std::int64_t, std::int64_t, \
                                     const float*, Activation, T*, double*);                  \
    template void norm_backward_data(const T*, const T*, std::int64_t, std::int64_t,          \
                                     const NormGradientCoefficients&, T*);

NANOATLAS_INSTANTIATE(float)
NANOATLAS_INSTANTIATE(BFloat16)

}  // namespace nanoatlas::kernels::onednn
