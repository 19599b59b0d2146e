// Sums over the rows of images by channel, and what is applied row by row after them.
#include "kernels/cudnn/row_sums.cuh"

namespace nanoatlas::kernels::cudnn {
namespace {

/// x and its square, as distances from the first row's x: their differences are not lost where a
/// channel's mean is large against its deviation.
template <class T, int V>
struct ShiftedSquares {
    static constexpr int rows_at_once = 4;
    using Loaded = Vector<T, V>;
    const T* x;
    __device__ Loaded load(std::int64_t element) const { return load_vector<V>(x + element); }
    __device__ Vector<float, V> by_channel(std::int64_t channel) const {
        const auto first = load_vector<V>(x + channel);
        Vector<float, V> origin;
        for (int v = 0; v < V; ++v) origin.at[v] = cudnn::load(first.at[v]);
        return origin;
    }
    __device__ void add(const Loaded& in, const Vector<float, V>& origin, std::int64_t,
                        float (&a)[V], float (&b)[V]) const {
        for (int v = 0; v < V; ++v) {
            const float distance = cudnn::load(in.at[v]) - origin.at[v];
            a[v] += distance;
            b[v] += distance * distance;
        }
    }
};

/// A batch norm's numbers of V channels.
template <int V>
struct NormNumbers {
    float mean[V], scale[V], shift[V];
    __device__ NormNumbers(const NormState& state, std::int64_t channel) {
        load_floats(state.mean, channel, mean);
        load_floats(state.scale, channel, scale);
        load_floats(state.shift, channel, shift);
    }
    __device__ float apply(float x, int v) const { return (x - mean[v]) * scale[v] + shift[v]; }
};

/// What the activation behind a norm passes on of a gradient, the norm's output made again of its
/// input x: for a norm to which nothing was added.
template <class T, int V>
__device__ float pass_on_again(float gradient, float x, const NormNumbers<V>& norm, int v,
                               Activation activation) {
    if (activation == Activation::none) return gradient;
    T y;
    store(activate(norm.apply(x, v), activation), y);
    return pass_on(gradient, load(y), activation);
}

/// g in a, g * (x - mean) in b, where g is what the activation passes on of one gradient.
template <class T, int V>
struct GradientProducts {
    static constexpr int rows_at_once = 4;
    struct Loaded {
        Vector<T, V> gradient, in;
    };
    const T *dy, *x;
    NormState state;
    Activation activation;

    __device__ Loaded load(std::int64_t element) const {
        return {load_vector<V>(dy + element), load_vector<V>(x + element)};
    }
    __device__ NormNumbers<V> by_channel(std::int64_t channel) const { return {state, channel}; }
    __device__ void add(const Loaded& loaded, const NormNumbers<V>& norm, std::int64_t,
                        float (&a)[V], float (&b)[V]) const {
        for (int v = 0; v < V; ++v) {
            const float in = cudnn::load(loaded.in.at[v]);
            const float g =
                pass_on_again<T>(cudnn::load(loaded.gradient.at[v]), in, norm, v, activation);
            a[v] += g;
            b[v] += g * (in - norm.mean[v]);
        }
    }
};

/// The same of a sum of gradients; y tells what the activation passes on, and g is stored unless it
/// is null.
template <class T, int V>
struct SummedGradientProducts {
    static constexpr int rows_at_once = 2;
    struct Loaded {
        float gradient[V];
        Vector<T, V> out, in;
    };
    Parts gradients;
    const T *y, *x;
    const float* mean;
    Activation activation;
    T* g;

    __device__ Loaded load(std::int64_t element) const {
        Loaded loaded = {};
        for (int part = 0; part < gradients.count; ++part) {
            const auto values = load_vector<V>(static_cast<const T*>(gradients.at[part]) + element);
            for (int v = 0; v < V; ++v) loaded.gradient[v] += cudnn::load(values.at[v]);
        }
        if (activation != Activation::none) loaded.out = load_vector<V>(y + element);
        loaded.in = load_vector<V>(x + element);
        return loaded;
    }
    __device__ Vector<float, V> by_channel(std::int64_t channel) const {
        Vector<float, V> means;
        load_floats(mean, channel, means.at);
        return means;
    }
    __device__ void add(const Loaded& loaded, const Vector<float, V>& means, std::int64_t element,
                        float (&a)[V], float (&b)[V]) const {
        Vector<T, V> stored;
        for (int v = 0; v < V; ++v) {
            const float passed =
                pass_on(loaded.gradient[v], cudnn::load(loaded.out.at[v]), activation);
            store(passed, stored.at[v]);
            a[v] += passed;
            b[v] += passed * (cudnn::load(loaded.in.at[v]) - means.at[v]);
        }
        if (g != nullptr) store_vector<V>(stored, g + element);
    }
};

/// dy * by_row(row) in a, times x if that is given; nothing in b.
template <class T, int V, class ByRow>
struct ScaledProducts {
    static constexpr int rows_at_once = 4;
    struct Loaded {
        Vector<T, V> gradient, in;
    };
    struct Nothing {};
    const T *dy, *x;
    ByRow by_row;
    std::int64_t channels;

    __device__ Loaded load(std::int64_t element) const {
        Loaded loaded = {};
        loaded.gradient = load_vector<V>(dy + element);
        if (x != nullptr) loaded.in = load_vector<V>(x + element);
        return loaded;
    }
    __device__ Nothing by_channel(std::int64_t) const { return {}; }
    __device__ void add(const Loaded& loaded, Nothing, std::int64_t element, float (&a)[V],
                        float (&)[V]) const {
        const float factor = by_row(element / channels);
        for (int v = 0; v < V; ++v)
            a[v] += cudnn::load(loaded.gradient.at[v]) * factor *
                    (x != nullptr ? cudnn::load(loaded.in.at[v]) : 1.0F);
    }
};

template <class T, int V>
struct NormApplication {
    static constexpr int rows_at_once = 4;
    struct Loaded {
        Vector<T, V> in, more;
    };
    const T *x, *addend;
    NormState state;
    Activation activation;
    T* y;

    __device__ Loaded load(std::int64_t element) const {
        Loaded loaded = {};
        loaded.in = load_vector<V>(x + element);
        if (addend != nullptr) loaded.more = load_vector<V>(addend + element);
        return loaded;
    }
    __device__ NormNumbers<V> by_channel(std::int64_t channel) const { return {state, channel}; }
    __device__ void use(const Loaded& loaded, const NormNumbers<V>& norm,
                        std::int64_t element) const {
        Vector<T, V> out;
        for (int v = 0; v < V; ++v) {
            const float value = norm.apply(cudnn::load(loaded.in.at[v]), v);
            store(activate(value + cudnn::load(loaded.more.at[v]), activation), out.at[v]);
        }
        store_vector<V>(out, y + element);
    }
};

template <class T, int V>
struct NormDataGradient {
    static constexpr int rows_at_once = 4;
    struct Loaded {
        Vector<T, V> gradient, in;
    };
    struct Numbers {
        NormNumbers<V> norm;
        float by_input[V], constant[V];
    };
    const T *g, *x;
    NormState state;
    Activation activation;
    T* dx;

    __device__ Loaded load(std::int64_t element) const {
        return {load_vector<V>(g + element), load_vector<V>(x + element)};
    }
    __device__ Numbers by_channel(std::int64_t channel) const {
        Numbers numbers{{state, channel}, {}, {}};
        load_floats(state.by_input, channel, numbers.by_input);
        load_floats(state.constant, channel, numbers.constant);
        return numbers;
    }
    __device__ void use(const Loaded& loaded, const Numbers& numbers, std::int64_t element) const {
        const auto& norm = numbers.norm;
        Vector<T, V> out;
        for (int v = 0; v < V; ++v) {
            const float in = cudnn::load(loaded.in.at[v]);
            const float gradient =
                pass_on_again<T>(cudnn::load(loaded.gradient.at[v]), in, norm, v, activation);
            store(norm.scale[v] * gradient + numbers.by_input[v] * (in - norm.mean[v]) +
                      numbers.constant[v],
                  out.at[v]);
        }
        store_vector<V>(out, dx + element);
    }
};

}  // namespace

template <class T>
void norm_sums(const NormTask& task, const T* x, cudaStream_t stream) {
    start_sums<T>(
        task, [&]<int V>() { return ShiftedSquares<T, V>{x}; }, stream);
    const auto channels = task.channels;
    const auto rows = static_cast<double>(task.rows);
    auto* const sums = task.sums;
    finish_sums(
        task,
        [=] __device__(std::int64_t c, double sum, double squares) {
            const double origin = load(x[c]);
            sums[c] = sum + rows * origin;
            sums[channels + c] = squares + 2 * origin * sum + rows * origin * origin;
            if (c == 0) sums[2 * channels] = rows;
        },
        stream);
}

template <class T>
void norm_backward_sums(const NormTask& task, const Parts& gradients, const T* y, const T* x,
                        const NormState& state, Activation activation, T* g, cudaStream_t stream) {
    if (y == nullptr && g == nullptr && gradients.count == 1)
        start_sums<T>(
            task,
            [&]<int V>() {
                return GradientProducts<T, V>{static_cast<const T*>(gradients.at[0]), x, state,
                                              activation};
            },
            stream);
    else
        start_sums<T>(
            task,
            [&]<int V>() {
                return SummedGradientProducts<T, V>{gradients, y, x, state.mean, activation, g};
            },
            stream);
    const auto channels = task.channels;
    const auto rows = static_cast<double>(task.rows);
    auto* const sums = task.sums;
    finish_sums(
        task,
        [=] __device__(std::int64_t c, double a, double b) {
            sums[c] = a;
            sums[channels + c] = b;
            if (c == 0) sums[2 * channels] = rows;
        },
        stream);
}

template <class T>
void norm_apply(const T* x, const T* addend, std::int64_t rows, std::int64_t channels,
                const NormState& state, Activation activation, T* y, cudaStream_t stream) {
    for_each_row<T>(
        rows, channels,
        [&]<int V>() {
            return NormApplication<T, V>{x, addend, state, activation, y};
        },
        stream);
}

template <class T>
void norm_backward_data(const T* g, const T* x, std::int64_t rows, std::int64_t channels,
                        const NormState& state, Activation activation, T* dx, cudaStream_t stream) {
    for_each_row<T>(
        rows, channels,
        [&]<int V>() {
            return NormDataGradient<T, V>{g, x, state, activation, dx};
        },
        stream);
}

template <class T>
void bias_gradient(const NormTask& task, const T* dy, float* dbias, cudaStream_t stream) {
    const auto one = [] __device__(std::int64_t) { return 1.0F; };
    start_sums<T>(
        task,
        [&]<int V>() {
            return ScaledProducts<T, V, decltype(one)>{dy, nullptr, one, task.channels};
        },
        stream);
    finish_sums(
        task,
        [=] __device__(std::int64_t c, double sum, double) { dbias[c] = static_cast<float>(sum); },
        stream);
}

template <class T>
void scale_gradient(const NormTask& task, const T* dy, const T* x, std::int64_t pixels,
                    const DeviceKey& depth, float* dby_channel, cudaStream_t stream) {
    const auto by_row = [=] __device__(std::int64_t row) {
        if (depth.distance.probability == 0) return 1.0F;
        const DropoutKey key{depth.step->stream + depth.distance.stream,
                             depth.step->first_sample + depth.distance.first_sample,
                             depth.distance.probability};
        return static_cast<float>(sample_scale(key, row / pixels));
    };
    start_sums<T>(
        task,
        [&]<int V>() {
            return ScaledProducts<T, V, decltype(by_row)>{dy, x, by_row, task.channels};
        },
        stream);
    finish_sums(
        task,
        [=] __device__(std::int64_t c, double sum, double) {
            dby_channel[c] = static_cast<float>(sum);
        },
        stream);
}

#define NANOATLAS_INSTANTIATE(T)                                                               \
    template void norm_sums(const NormTask&, const T*, cudaStream_t);                          \
    template void norm_backward_sums(const NormTask&, const Parts&, const T*, const T*,        \
                                     const NormState&, Activation, T*, cudaStream_t);          \
    template void norm_apply(const T*, const T*, std::int64_t, std::int64_t, const NormState&, \
                             Activation, T*, cudaStream_t);                                    \
    template void norm_backward_data(const T*, const T*, std::int64_t, std::int64_t,           \
                                     const NormState&, Activation, T*, cudaStream_t);          \
    template void bias_gradient(const NormTask&, const T*, float*, cudaStream_t);              \
    template void scale_gradient(const NormTask&, const T*, const T*, std::int64_t,            \
                                 const DeviceKey&, float*, cudaStream_t);

NANOATLAS_INSTANTIATE(float)
NANOATLAS_INSTANTIATE(__nv_bfloat16)

}  // namespace nanoatlas::kernels::cudnn
