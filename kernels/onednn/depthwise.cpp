// Depthwise convolutions of networks in training. oneDNN 3.2 has no depthwise kernels for 5x5
// windows, uneven padding or some strides with channels innermost, and falls back to general
// grouped ones that take some 20 times as long. Windows as networks have them go through
// depthwise_rows.hpp; for any others forward is oneDNN's, and for the gradients here the channels
// are the SIMD lanes and the sums over a window (data) or a row of pixels (weights) stay in
// registers.
#include <omp.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "kernels/onednn/depthwise_rows.hpp"
#include "kernels/onednn/engine.hpp"
#include "kernels/onednn/lanes.hpp"
#include "kernels/reference/folded_weights.hpp"

namespace nanoatlas::kernels::onednn {
namespace {

/// One side (rows or columns) of the window moving over the image.
struct Side {
    std::int64_t input, output, kernel, stride, dilation, before;

    std::int64_t input_of(std::int64_t out, std::int64_t tap) const {
        return out * stride + tap * dilation - before;
    }
    /// First output whose input lies on the image, and the one after the last.
    std::pair<std::int64_t, std::int64_t> outputs_of(std::int64_t tap) const {
        const std::int64_t shift = before - tap * dilation;
        const auto reached = [&](std::int64_t from) {
            return from <= 0 ? 0 : (from + stride - 1) / stride;
        };
        return {reached(shift), std::min(output, reached(input + shift))};
    }
};

/// For one input row or column: a tap of the window and the output that it feeds.
struct Feed {
    std::int64_t tap, output;
};

std::vector<std::vector<Feed>> feeds(const Side& side) {
    std::vector<std::vector<Feed>> found(static_cast<std::size_t>(side.input));
    for (std::int64_t tap = 0; tap < side.kernel; ++tap) {
        const auto [first, last] = side.outputs_of(tap);
        for (auto out = first; out < last; ++out)
            found[static_cast<std::size_t>(side.input_of(out, tap))].push_back({tap, out});
    }
    return found;
}

template <class T>
class DepthwiseConvolution final : public Convolution {
  public:
    DepthwiseConvolution(const ConvolutionShape& shape, std::unique_ptr<Convolution> forward)
        : shape_(shape),
          forward_(std::move(forward)),
          rows_{shape.input.height,    shape.output.height,     shape.window.height,
                shape.window.stride_y, shape.window.dilation_y, shape.window.top},
          columns_{shape.input.width,     shape.output.width,      shape.window.width,
                   shape.window.stride_x, shape.window.dilation_x, shape.window.left},
          channels_(shape.input.channels),
          by_rows_(suits_depthwise_rows(shape)),
          row_feeds_(feeds(rows_)),
          column_feeds_(feeds(columns_)) {}

    void set_weights(const float* weights, const float* bias) override {
        if (forward_) forward_->set_weights(weights, bias);
        const std::int64_t taps = rows_.kernel * columns_.kernel;
        weights_.resize(static_cast<std::size_t>(taps * channels_));
        for (std::int64_t c = 0; c < channels_; ++c)
            for (std::int64_t tap = 0; tap < taps; ++tap)
                weights_[static_cast<std::size_t>(tap * channels_ + c)] = weights[c * taps + tap];
        if (bias != nullptr) bias_.assign(bias, bias + channels_);
    }
    void set_folded_weights(const float* weights, const float* bias,
                            const Folding& folding) override {
        const reference::FoldedWeights folded(shape_, weights, bias, folding);
        set_weights(folded.weights.data(), folded.bias.data());
    }

    void forward(const void* x, const void* addend, void* y) override {
        if (forward_) return forward_->forward(x, addend, y);
        correlate_depthwise(shape_, static_cast<const T*>(x), weights_, bias_, static_cast<T*>(y));
    }

    void backward_data(const void* dy, void* dx) override {
        const auto* from = static_cast<const T*>(dy);
        auto* to = static_cast<T*>(dx);
        if (by_rows_) return spread_depthwise<T>(shape_, from, weights_, to);
        const std::int64_t rows = shape_.input.samples * rows_.input;
#pragma omp parallel for schedule(static)
        for (std::int64_t row = 0; row < rows; ++row) {
            const T* image = from + row / rows_.input * rows_.output * columns_.output * channels_;
            const auto& from_rows = row_feeds_[static_cast<std::size_t>(row % rows_.input)];
            for (std::int64_t column = 0; column < columns_.input; ++column)
                gather(image, from_rows, column_feeds_[static_cast<std::size_t>(column)],
                       to + (row * columns_.input + column) * channels_);
        }
    }

    void backward_weights(const void* x, const void* dy, float* dweights, float* dbias) override {
        const auto* pixels = static_cast<const T*>(x);
        const auto* gradients = static_cast<const T*>(dy);
        const auto sums = by_rows_ ? sum_depthwise_gradients(shape_, pixels, gradients)
                                   : sum_gradients(pixels, gradients);
        const std::int64_t taps = rows_.kernel * columns_.kernel;
        for (std::int64_t c = 0; c < channels_; ++c)
            for (std::int64_t tap = 0; tap < taps; ++tap)
                dweights[c * taps + tap] = sums[static_cast<std::size_t>(tap * channels_ + c)];
        if (dbias != nullptr) std::copy_n(sums.end() - channels_, channels_, dbias);
    }

  private:
    /// [taps + 1, channels]: of the weights, and behind them of the bias.
    std::vector<float> sum_gradients(const T* x, const T* dy) const {
        const std::int64_t taps = rows_.kernel * columns_.kernel;
        std::vector<std::vector<float>> partial(static_cast<std::size_t>(omp_get_max_threads()));
        const auto size = static_cast<std::size_t>((taps + 1) * channels_);
#pragma omp parallel
        {
            auto& own = partial[static_cast<std::size_t>(omp_get_thread_num())];
            own.assign(size, 0.0F);
#pragma omp for schedule(static)
            for (std::int64_t row = 0; row < shape_.output.samples * rows_.output; ++row)
                add_row(x, dy, row, own.data());
        }
        std::vector<float> sums(size, 0.0F);
        for (const auto& own : partial)
            for (std::size_t i = 0; i < own.size(); ++i) sums[i] += own[i];
        return sums;
    }

    /// One pixel of dx from the outputs that it fed.
    void gather(const T* dy, const std::vector<Feed>& rows, const std::vector<Feed>& columns,
                T* dx) const {
        const auto sum_taps = [&]<class Sum, class Load>(std::int64_t c, Sum sum, Load load_at) {
            for (const auto& row : rows)
                for (const auto& column : columns) {
                    const auto pixel = row.output * columns_.output + column.output;
                    const auto tap = row.tap * columns_.kernel + column.tap;
                    sum += load_at(dy + pixel * channels_ + c) *
                           load_at(weights_.data() + tap * channels_ + c);
                }
            return sum;
        };
        std::int64_t c = 0;
        for (; c + lane_count <= channels_; c += lane_count)
            store_lanes(sum_taps(c, Lanes{}, [](const auto* p) { return load_lanes(p); }), dx + c);
        for (; c < channels_; ++c)
            store(sum_taps(c, 0.0F, [](const auto* p) { return load(*p); }), dx[c]);
    }

    /// Adds what one row of dy (of all samples' rows) gives to the gradients [taps + 1, channels].
    void add_row(const T* x, const T* dy, std::int64_t row, float* sums) const {
        const std::int64_t sample = row / rows_.output, out = row % rows_.output;
        const T* gradients = dy + row * columns_.output * channels_;
        for (std::int64_t i = 0; i < rows_.kernel; ++i) {
            const std::int64_t in = rows_.input_of(out, i);
            if (in < 0 || in >= rows_.input) continue;
            const T* pixels = x + (sample * rows_.input + in) * columns_.input * channels_;
            for (std::int64_t j = 0; j < columns_.kernel; ++j)
                add_products(pixels, gradients, j, sums + (i * columns_.kernel + j) * channels_);
        }
        if (!shape_.bias) return;
        float* bias = sums + rows_.kernel * columns_.kernel * channels_;
        for (std::int64_t column = 0; column < columns_.output; ++column)
            for (std::int64_t c = 0; c < channels_; ++c)
                bias[c] += load(gradients[column * channels_ + c]);
    }

    /// sums[c] += sum over a row's pixels of x * dy for one column of the window.
    void add_products(const T* x, const T* dy, std::int64_t tap, float* sums) const {
        const auto [first, last] = columns_.outputs_of(tap);
        const std::int64_t shift = tap * columns_.dilation - columns_.before;
        const auto sum_row = [&, first = first, last = last]<class Sum, class Load>(
                                 std::int64_t c, Sum sum, Load load_at) {
            for (auto out = first; out < last; ++out)
                sum += load_at(dy + out * channels_ + c) *
                       load_at(x + (out * columns_.stride + shift) * channels_ + c);
            return sum;
        };
        std::int64_t c = 0;
        for (; c + lane_count <= channels_; c += lane_count)
            store_lanes(
                sum_row(c, load_lanes(sums + c), [](const auto* p) { return load_lanes(p); }),
                sums + c);
        for (; c < channels_; ++c)
            sums[c] = sum_row(c, sums[c], [](const auto* p) { return load(*p); });
    }

    ConvolutionShape shape_;
    std::unique_ptr<Convolution> forward_;  // null: by rows, too
    Side rows_, columns_;
    std::int64_t channels_;
    bool by_rows_;
    std::vector<std::vector<Feed>> row_feeds_, column_feeds_;
    std::vector<float> weights_;  // [taps, channels]
    std::vector<float> bias_;
};

}  // namespace

std::unique_ptr<Convolution> make_depthwise(const ConvolutionShape& shape,
                                            std::shared_ptr<Engine> engine) {
    const auto precision = engine->precision();
    std::unique_ptr<Convolution> forward;
    if (!suits_depthwise_rows(shape) || shape.addend || shape.activation != Activation::none) {
        auto evaluated = shape;
        evaluated.training = evaluated.data_gradient = false;
        forward = make_direct(evaluated, std::move(engine));
    }
    if (precision == Precision::bf16)
        return std::make_unique<DepthwiseConvolution<BFloat16>>(shape, std::move(forward));
    return std::make_unique<DepthwiseConvolution<float>>(shape, std::move(forward));
}

}  // namespace nanoatlas::kernels::onednn
