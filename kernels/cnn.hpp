// The one interface behind which the CNN back ends live: oneDNN, the reference, cuDNN.
//
// A back end works in one precision, on memory that it hands out itself, on images
// [samples, height, width, channels] (dense; the shapes below). A matrix [rows, columns] is an
// image of one pixel. Statistics, weights, biases and their gradients are f32 or f64 whatever the
// precision. Weights come as [out, in / groups, height, width]; a linear layer is a convolution
// whose kernel covers its whole input. All tensors are in the back end's memory, which need not be
// the host's. Calls on one back end don't overlap; they may return before their work is done, which
// is done in the order of the calls, and is done when a call gives values to the host.
#pragma once

#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace nanoatlas::kernels {

class Loss;  // kernels/loss.hpp
struct LossShape;
class PictureReader;  // kernels/pictures.hpp
struct PictureFormat;
class Updater;  // kernels/updates.hpp
struct UpdateOptions;
struct UpdateSlice;

enum class Precision { f32, bf16 };
/// gelu: x P(X <= x) of a standard normal X (Hendrycks, Gimpel, arXiv:1606.08415), as torch by erf.
/// Convolutions put it out and nothing else does: its gradient is no function of its value, so a
/// network in training calls Backend::gelu().
enum class Activation { none, relu, relu6, gelu };

using Memory = std::unique_ptr<void, std::function<void(void*)>>;
/// Tensors whose sum is meant; at least one.
using Addends = std::span<const void* const>;

struct ImageShape {
    std::int64_t samples, height, width, channels;
    constexpr std::int64_t rows() const { return samples * height * width; }
    constexpr std::int64_t elements() const { return rows() * channels; }
    bool operator==(const ImageShape&) const = default;
};

/// How a kernel moves over an image [pixels].
struct Window {
    std::int64_t height = 1, width = 1;
    std::int64_t stride_y = 1, stride_x = 1;
    std::int64_t top = 0, left = 0, bottom = 0, right = 0;  ///< padding
    std::int64_t dilation_y = 1, dilation_x = 1;
    bool operator==(const Window&) const = default;
};

struct ConvolutionShape {
    ImageShape input, output;
    Window window;
    std::int64_t groups = 1;
    bool bias = false;
    Activation activation = Activation::none;  ///< of the output; forward only
    bool addend = false;         ///< an image of the output's shape is added before the activation
    bool training = false;       ///< gradients of the weights are wanted
    bool data_gradient = false;  ///< the input's gradient is wanted
    bool operator==(const ConvolutionShape&) const = default;
};

/// A batch norm by its running statistics, by channel.
struct NormTensors {
    const float* gamma;
    const float* beta;
    const float* mean;
    const float* variance;
    double eps;
};

/// What is folded into a convolution: a norm of its outputs, then a factor for each channel.
struct Folding {
    std::optional<NormTensors> norm = {};
    const float* scale = nullptr;  ///< [channels]; null: 1
};

class Convolution {
  public:
    virtual ~Convolution() = default;
    /// Casts and packs; until the next call the others use these. bias null without one.
    virtual void set_weights(const float* weights, const float* bias) = 0;
    /// The same with more folded in; shape.bias is set, bias may be null for 0.
    virtual void set_folded_weights(const float* weights, const float* bias,
                                    const Folding& folding) = 0;
    /// y = activation(x * weights + bias + addend)
    virtual void forward(const void* x, const void* addend, void* y) = 0;
    /// dy: gradient of the output before its activation.
    virtual void backward_data(const void* dy, void* dx) = 0;
    virtual void backward_weights(const void* x, const void* dy, float* dweights, float* dbias) = 0;
};

enum class PoolKind { max, average };  ///< average: zeros of the padding count

struct PoolShape {
    ImageShape input, output;
    Window window;
    PoolKind kind = PoolKind::max;
    bool training = false;
};

class Pooling {
  public:
    virtual ~Pooling() = default;
    virtual void forward(const void* x, void* y) = 0;
    /// After the forward() whose gradient it is.
    virtual void backward(const void* dy, void* dx) = 0;
};

/// The ranks that share a step, as a back end sees them.
class Ranks {
  public:
    virtual ~Ranks() = default;
    virtual int rank() const = 0;
    virtual int size() const = 0;
    /// Number of this rank among those of its node, and theirs.
    virtual int node_rank() const = 0;
    virtual int node_size() const = 0;
    /// Those of rank 0 on all. Collective.
    virtual void broadcast(std::span<char> bytes) const = 0;
    /// In place; the host's memory. Collective.
    virtual void sum(std::span<double> values) const = 0;
};

struct BatchNormShape {
    ImageShape image;
    double eps = 1e-5;
    double momentum = 0.1;  ///< as torch: running = (1 - momentum) * running + momentum * batch's
    Activation activation = Activation::none;
    bool training = false;         ///< train() and backward() are wanted
    const Ranks* ranks = nullptr;  ///< whose samples share statistics; null: this rank's alone
};

/// y = activation((x - mean) / sqrt(variance + eps) * gamma + beta + addend), by channel. With
/// shape.ranks all of them call train() and backward() in the same order, also without samples.
class BatchNorm {
  public:
    virtual ~BatchNorm() = default;
    /// Until the next call evaluate() uses these.
    virtual void set_running(const NormTensors& norm) = 0;
    /// By the running statistics. addend may be null.
    virtual void evaluate(const void* x, const void* addend, void* y) = 0;
    /// By the batch's statistics; moves the running ones (the variance by the unbiased one).
    virtual void train(const void* x, const void* addend, const float* gamma, const float* beta,
                       float* running_mean, float* running_variance, void* y) = 0;
    /// After the train() whose gradient it is.
    /// gradients  parts of y's
    /// g          their sum where the activation of y passes them on, which is the addend's (may be
    ///            one of them). Null if nobody else reads it, there was no addend, and there is
    ///            only one of them: then it need not be kept, and y is not read
    /// dx         null if it is not wanted
    /// dgamma, dbeta: this rank's part
    virtual void backward(Addends gradients, const void* y, const void* x, void* g, void* dx,
                          float* dgamma, float* dbeta) = 0;
};

/// Which elements a dropout keeps is a function of this, the sample and the element.
struct DropoutKey {
    std::uint64_t stream;
    std::int64_t first_sample;  ///< number of the first one in the batch of all ranks
    double probability;         ///< of becoming 0; the others are scaled by 1 / (1 - probability)
};

/// Whether it keeps an element (its place in the image's memory) of a sample (of this rank).
constexpr bool dropout_keeps(const DropoutKey& key, std::int64_t sample, std::int64_t element) {
    const auto mix = [](std::uint64_t z) {  // splitmix64's finaliser
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
        return z ^ (z >> 31);
    };
    constexpr std::uint64_t golden = 0x9E3779B97F4A7C15ULL;
    const auto number = static_cast<std::uint64_t>(key.first_sample + sample);
    const auto bits =
        mix(mix(key.stream + number * golden) + (static_cast<std::uint64_t>(element) + 1) * golden);
    return static_cast<double>(bits >> 11) * 0x1.0p-53 >= key.probability;
}

/// A layer norm: y = (x - mean) / sqrt(variance + eps) * weight + bias, each row by its own mean
/// and (biased) variance over the channels. Ba, Kiros, Hinton, arXiv:1607.06450.
struct LayerNormCoefficients {
    const float* weight;  ///< [channels]
    const float* bias;    ///< [channels]
    double eps;
};

/// What an image is multiplied by: a number for each channel (layer scale, Touvron et al.,
/// arXiv:2103.17239) and one for each sample (stochastic depth, Huang et al., arXiv:1603.09382).
struct Scale {
    const float* by_channel = nullptr;                                   ///< null: 1
    DropoutKey depth{.stream = 0, .first_sample = 0, .probability = 0};  ///< of dropping a sample
};

/// 0 for a sample (of this rank) that stochastic depth drops, 1 / (1 - probability) for the others.
constexpr double sample_scale(const DropoutKey& depth, std::int64_t sample) {
    if (depth.probability == 0) return 1;
    return dropout_keeps(depth, sample, 0) ? 1 / (1 - depth.probability) : 0;
}

/// Calls on a back end that are made again and again, on the same memory with the same numbers.
class Recording {
  public:
    virtual ~Recording() = default;
    /// Does the work, or plays what it did at an earlier call.
    virtual void play(const std::function<void()>& work) { work(); }
};

class Backend {
  public:
    virtual ~Backend() = default;
    virtual std::string name() const = 0;
    virtual Precision precision() const = 0;

    /// Aligned to 64 bytes. throws std::bad_alloc
    virtual Memory allocate(std::int64_t bytes) = 0;
    /// The host may read and write in place what is allocated.
    virtual bool shares_host_memory() const { return true; }
    /// Bytes that allocate() and the primitives can still take, if that is not the host's memory.
    virtual std::int64_t available_bytes() const {
        return std::numeric_limits<std::int64_t>::max();
    }
    /// From and to the host's memory.
    virtual void upload(const void* from, std::int64_t bytes, void* to) {
        std::memcpy(to, from, static_cast<std::size_t>(bytes));
    }
    virtual void download(const void* from, std::int64_t bytes, void* to) {
        std::memcpy(to, from, static_cast<std::size_t>(bytes));
    }

    /// Waits until the work of all calls is done.
    virtual void finish() {}
    virtual std::unique_ptr<Recording> recording() { return std::make_unique<Recording>(); }
    /// What differs from one play of a recording to the next: keys of dropout in it keep their
    /// distance to this one, which holds while it was recorded.
    virtual void set_step(const DropoutKey&) {}

    /// It sums over the ranks that it was made with; if not, its memory is the host's.
    virtual bool sums_over_ranks() const { return false; }
    /// Sets out to sum values in place, beside the calls that follow.
    virtual void start_sum(std::span<float>) {}
    /// Calls that follow come after the sums that have set out.
    virtual void finish_sums() {}

    /// Bytes that all primitives made so far share while they work.
    virtual std::int64_t scratch_bytes() const = 0;
    virtual std::unique_ptr<Convolution> convolution(const ConvolutionShape& shape) = 0;
    virtual std::unique_ptr<Pooling> pooling(const PoolShape& shape) = 0;
    virtual std::unique_ptr<BatchNorm> batch_norm(const BatchNormShape& shape) = 0;

    /// From and to [samples, channels, height, width] f32 in the host's memory.
    virtual void import_images(const float* from, const ImageShape& shape, void* to) = 0;
    virtual void export_images(const void* from, const ImageShape& shape, float* to) = 0;

    virtual void layer_norm(const void* x, std::int64_t rows, std::int64_t channels,
                            const LayerNormCoefficients& coefficients, void* y) = 0;
    /// dweight and dbias [channels] become the sums over the rows; dx may be null, or dy.
    virtual void layer_norm_backward(const void* dy, const void* x, std::int64_t rows,
                                     std::int64_t channels,
                                     const LayerNormCoefficients& coefficients, void* dx,
                                     float* dweight, float* dbias) = 0;

    virtual void gelu(const void* x, std::int64_t elements, void* y) = 0;
    /// dx may be dy.
    virtual void gelu_backward(const void* dy, const void* x, std::int64_t elements, void* dx) = 0;

    /// y = x * scale + addend; addend may be null.
    virtual void scale(const void* x, const void* addend, const ImageShape& shape,
                       const Scale& scale, void* y) = 0;
    /// dx = dy * scale; dby_channel [channels] = sum of dy * x * (the sample's scale).
    /// dx may be null, and dby_channel; x is read for the latter alone.
    virtual void scale_backward(const void* dy, const void* x, const ImageShape& shape,
                                const Scale& scale, void* dx, float* dby_channel) = 0;

    /// y = activation(sum of parts)
    virtual void add(Addends parts, Activation activation, std::int64_t elements, void* y) = 0;
    /// dx = sum of gradients where the activation of y passes them on
    virtual void activation_backward(Addends gradients, const void* y, Activation activation,
                                     std::int64_t elements, void* dx) = 0;
    /// Channels [from_first, from_first + channels) become [to_first, to_first + channels).
    virtual void copy_channels(const void* from, std::int64_t from_channels,
                               std::int64_t from_first, void* to, std::int64_t to_channels,
                               std::int64_t to_first, std::int64_t channels, std::int64_t rows) = 0;
    /// Output pixel i averages the input's from floor(i * in / out) to ceil((i + 1) * in / out), as
    /// torch.
    virtual void adaptive_average(const void* x, const ImageShape& input, const ImageShape& output,
                                  void* y) = 0;
    virtual void adaptive_average_backward(const void* dy, const ImageShape& input,
                                           const ImageShape& output, void* dx) = 0;
    /// Its own gradient too: dx = dropout(dy) with the same key.
    virtual void dropout(const void* x, const ImageShape& shape, const DropoutKey& key,
                         void* y) = 0;

    /// y = factor * x; y may be x. f32 whatever the precision, as all below.
    virtual void multiply(const float* x, float factor, std::int64_t count, float* y) = 0;
    /// sum += factor * x
    virtual void accumulate(const float* x, float factor, std::int64_t count, float* sum) = 0;
    /// average += part * (x - average)
    virtual void approach(const float* x, float part, std::int64_t count, float* average) = 0;
    virtual std::unique_ptr<Loss> loss(const LossShape& shape) = 0;
    /// Null where the host makes input of pictures.
    virtual std::unique_ptr<PictureReader> picture_reader(const PictureFormat& format) = 0;
    /// slices: disjoint
    virtual std::unique_ptr<Updater> updater(const UpdateOptions& options,
                                             std::span<const UpdateSlice> slices) = 0;
};

}  // namespace nanoatlas::kernels
