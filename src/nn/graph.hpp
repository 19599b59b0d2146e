// A network as data: nodes with inferred shapes, parameters with torchvision's names.
//
// The zoo describes each family with this; network.hpp compiles it into a plan for one batch size,
// precision and back end.
//
//     Graph graph({3, 224, 224});
//     auto x = graph.convolution(graph.input(), "conv1", {.channels = 64, .kernel = 7, .stride = 2,
//     .padding = 3}); x = graph.relu(graph.batch_norm(x, "bn1")); x =
//     graph.flatten(graph.global_average_pool(x, "avgpool")); graph.set_features(x);
//     graph.set_output(graph.linear(x, "fc", 10));
//
// Every function that adds a node throws InputError if the shapes don't fit (an image too small for
// the network): it names the node.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace nanoatlas::nn {

/// Of one sample.
struct Shape {
    std::int64_t channels = 1, height = 1, width = 1;
    std::int64_t elements() const { return channels * height * width; }
    std::int64_t pixels() const { return height * width; }
    bool operator==(const Shape&) const = default;
};

/// Height and width of a kernel, a stride or a dilation [pixels]; square from one number.
struct Extent {
    std::int64_t height, width;
    Extent(std::int64_t side) : height(side), width(side) {}
    Extent(std::int64_t h, std::int64_t w) : height(h), width(w) {}
};

/// Rows and columns of zeros round an image; sides may differ.
struct Padding {
    std::int64_t top, left, bottom, right;
    Padding(std::int64_t all) : top(all), left(all), bottom(all), right(all) {}
    Padding(std::int64_t vertical, std::int64_t horizontal)
        : top(vertical), left(horizontal), bottom(vertical), right(horizontal) {}
    Padding(std::int64_t t, std::int64_t l, std::int64_t b, std::int64_t r)
        : top(t), left(l), bottom(b), right(r) {}
};

/// The tensor that a node puts out.
struct Value {
    int node = -1;
};

struct Convolution {
    std::int64_t channels;  ///< put out
    Extent kernel = 1;
    Extent stride = 1;
    Padding padding = 0;
    std::int64_t groups = 1;  ///< depthwise: as many as channels come in
    bool bias = false;
    Extent dilation = 1;
    bool matrix = false;  ///< 1x1, weight [out, in]: a linear layer on each pixel
};

/// As torch: running = (1 - momentum) * running + momentum * batch's; the running variance takes
/// the unbiased one.
struct BatchNorm {
    double eps = 1e-5;
    double momentum = 0.1;
};

/// Of each pixel over its channels.
struct LayerNorm {
    double eps = 1e-5;
};

/// A trained factor for each channel.
struct LayerScale {
    double initial = 1e-6;
};

struct Pool {
    Extent kernel;
    Extent stride;
    Padding padding = 0;
    bool ceil_mode = false;  ///< a last window that begins inside counts though it hangs over
};

/// Channels of zeros before and behind a value's own.
struct ChannelPadding {
    std::int64_t before, behind;
};

struct Linear {
    std::int64_t outputs;
    bool bias = true;
};

struct Dropout {
    double probability = 0.5;  ///< of an element (stochastic depth: a sample) becoming 0
};

enum class Op {
    input,
    convolution,
    batch_norm,
    layer_norm,
    layer_scale,
    relu,
    relu6,
    gelu,
    max_pool,
    average_pool,           ///< zeros of the padding count
    adaptive_average_pool,  ///< output's shape is the node's
    linear,
    add,
    concat,  ///< along channels
    pad_channels,
    dropout,
    stochastic_depth,
    flatten,    ///< channels outermost, as torch
    unflatten,  ///< channels innermost, as images lie in memory
};

struct Node {
    Op op;
    std::string name;         ///< prefix of its parameters' names; unique
    std::vector<int> inputs;  ///< nodes, all of them earlier
    Shape shape;              ///< of what it puts out
    std::variant<std::monostate, Convolution, BatchNorm, LayerNorm, LayerScale, Pool,
                 ChannelPadding, Linear, Dropout>
        attributes;
};

enum class ParameterKind { weight, bias, norm, scale };

/// A trained tensor, or a running statistic.
struct TensorSpec {
    std::string name;                 ///< "layer1.0.conv1.weight"
    std::vector<std::int64_t> shape;  ///< weights [out, in / groups, height, width] or [out, in]
    ParameterKind kind;  ///< norm: factor, shift and running statistics; scale: a layer scale
    int node;

    std::int64_t elements() const {
        std::int64_t product = 1;
        for (const auto extent : shape) product *= extent;
        return product;
    }
};

class Graph {
  public:
    explicit Graph(Shape input);

    Value input() const { return {0}; }
    Value convolution(Value x, const std::string& name, const Convolution& options);
    Value batch_norm(Value x, const std::string& name, const BatchNorm& options = {});
    Value layer_norm(Value x, const std::string& name, const LayerNorm& options = {});
    /// Its parameter has the node's own name, shape [channels, 1, 1].
    Value layer_scale(Value x, const std::string& name, const LayerScale& options = {});
    /// A linear layer on the channels of each pixel, its weight [out, in].
    Value linear_of_pixels(Value x, const std::string& name, std::int64_t outputs);
    /// Nodes without parameters: an empty name becomes "relu17", "add18", ... by the node's number.
    Value relu(Value x, const std::string& name = "");
    Value relu6(Value x, const std::string& name = "");
    Value gelu(Value x, const std::string& name = "");
    Value max_pool(Value x, const Pool& options, const std::string& name = "");
    Value average_pool(Value x, const Pool& options, const std::string& name = "");
    Value adaptive_average_pool(Value x, Extent size, const std::string& name = "");
    Value global_average_pool(Value x, const std::string& name = "");
    Value linear(Value x, const std::string& name, std::int64_t outputs, bool bias = true);
    Value add(Value a, Value b, const std::string& name = "");
    Value concat(const std::vector<Value>& parts, const std::string& name = "");
    Value pad_channels(Value x, const ChannelPadding& padding, const std::string& name = "");
    Value dropout(Value x, double probability, const std::string& name = "");
    /// In training x of some samples becomes 0, of the others x / (1 - probability).
    Value stochastic_depth(Value x, double probability, const std::string& name = "");
    Value flatten(Value x, const std::string& name = "");
    /// A row of numbers, such as a linear layer puts out, as an image: its pixels one after the
    /// other, each with all its channels.
    Value unflatten(Value x, const Shape& image, const std::string& name = "");
    /// Each pixel factor x factor times: what an adaptive average gives that has more pixels to put
    /// out than it reads.
    Value upsample(Value x, std::int64_t factor, const std::string& name = "");

    /// The padding with which ceil(size / stride) pixels come out ("same" of TensorFlow: what is
    /// odd goes to the bottom and the right).
    Padding same_padding(Value x, Extent kernel, Extent stride) const;

    /// Another name for a node: "layer3" for its last block's output.
    void add_name(Value x, const std::string& name);
    void set_output(Value logits) { output_ = logits.node; }
    void set_features(Value pooled) { features_ = pooled.node; }
    /// More logits: in training weight times their loss is added; evaluation leaves them out.
    void set_auxiliary(Value logits, double weight) { auxiliary_ = {logits, weight}; }

    const std::vector<Node>& nodes() const { return nodes_; }
    const Node& node(Value x) const { return nodes_[static_cast<std::size_t>(x.node)]; }
    const Shape& shape(Value x) const { return node(x).shape; }
    /// The logits; by default the last node.
    Value output() const;
    /// The layer that `extract` takes; by default the input of the last linear node.
    Value features() const;
    struct Auxiliary {
        Value logits;
        double weight;
    };
    const std::optional<Auxiliary>& auxiliary() const { return auxiliary_; }
    bool has(const std::string& name) const;
    /// throws InputError if there is none: lists the names
    Value find(const std::string& name) const;
    /// The node itself and all that it is computed from: true, by node.
    std::vector<bool> ancestors(Value x) const;

    /// In the order of the nodes, weight before bias.
    std::vector<TensorSpec> parameters() const;
    /// running_mean and running_var of each batch norm.
    std::vector<TensorSpec> buffers() const;
    std::int64_t parameter_count() const;

  private:
    Value append(Node node);
    Value pool(Op op, Value x, const Pool& options, const std::string& name);
    Value drop(Op op, Value x, double probability, const std::string& name);

    std::vector<Node> nodes_;
    std::vector<std::pair<std::string, int>> other_names_;
    int output_ = -1;
    int features_ = -1;
    std::optional<Auxiliary> auxiliary_;
};

}  // namespace nanoatlas::nn
