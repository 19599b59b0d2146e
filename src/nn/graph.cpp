#include "nn/graph.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "base/check.hpp"

namespace nanoatlas::nn {
namespace {

const char* op_name(Op op) {
    switch (op) {
        case Op::input:
            return "input";
        case Op::convolution:
            return "convolution";
        case Op::batch_norm:
            return "batch_norm";
        case Op::layer_norm:
            return "layer_norm";
        case Op::layer_scale:
            return "layer_scale";
        case Op::relu:
            return "relu";
        case Op::relu6:
            return "relu6_";
        case Op::gelu:
            return "gelu";
        case Op::max_pool:
            return "max_pool";
        case Op::average_pool:
            return "average_pool";
        case Op::adaptive_average_pool:
            return "adaptive_average_pool";
        case Op::linear:
            return "linear";
        case Op::add:
            return "add";
        case Op::concat:
            return "concat";
        case Op::pad_channels:
            return "pad_channels";
        case Op::dropout:
            return "dropout";
        case Op::stochastic_depth:
            return "stochastic_depth";
        case Op::flatten:
            return "flatten";
        case Op::unflatten:
            return "unflatten";
    }
    return "";
}

/// Pixels that come out along one side; 0 if the image is too small.
std::int64_t extent_after(std::int64_t size, std::int64_t padding, std::int64_t kernel,
                          std::int64_t stride, std::int64_t dilation) {
    const std::int64_t span = size + padding - dilation * (kernel - 1) - 1;
    return span < 0 ? 0 : span / stride + 1;
}

/// Padding behind, such that the last window that begins inside counts (torch's ceil_mode).
std::int64_t padding_for_ceil(std::int64_t size, std::int64_t before, std::int64_t after,
                              std::int64_t kernel, std::int64_t stride) {
    const std::int64_t span = size + before + after - kernel;
    if (span < 0) return after;
    std::int64_t windows = (span + stride - 1) / stride + 1;
    if ((windows - 1) * stride >= size + before) --windows;
    return (windows - 1) * stride + kernel - size - before;
}

}  // namespace

Graph::Graph(Shape input) {
    VALIDATE(
        input.channels > 0 && input.height > 0 && input.width > 0,
        "a network cannot read images of {} x {} pixels with {} channels; all must be positive",
        input.height, input.width, input.channels);
    nodes_.push_back(
        {.op = Op::input, .name = "input", .inputs = {}, .shape = input, .attributes = {}});
}

Value Graph::append(Node node) {
    if (node.name.empty()) node.name = fmt::format("{}{}", op_name(node.op), nodes_.size());
    VALIDATE(!has(node.name),
             "two nodes of the network are named '{}' (names find tensors); rename one", node.name);
    VALIDATE(node.shape.channels > 0 && node.shape.height > 0 && node.shape.width > 0,
             "the image is too small for the network: nothing is left after '{}' of its input of "
             "{} x {} pixels; use larger images",
             node.name, nodes_[0].shape.height, nodes_[0].shape.width);
    nodes_.push_back(std::move(node));
    return {static_cast<int>(nodes_.size()) - 1};
}

Value Graph::convolution(Value x, const std::string& name, const Convolution& options) {
    const Shape in = shape(x);
    VALIDATE(options.groups > 0 && in.channels % options.groups == 0 &&
                 options.channels % options.groups == 0,
             "convolution '{}' cannot split {} channels in and {} out into {} groups; both must be "
             "multiples",
             name, in.channels, options.channels, options.groups);
    const auto& p = options.padding;
    return append({.op = Op::convolution,
                   .name = name,
                   .inputs = {x.node},
                   .shape = {options.channels,
                             extent_after(in.height, p.top + p.bottom, options.kernel.height,
                                          options.stride.height, options.dilation.height),
                             extent_after(in.width, p.left + p.right, options.kernel.width,
                                          options.stride.width, options.dilation.width)},
                   .attributes = options});
}

Value Graph::batch_norm(Value x, const std::string& name, const BatchNorm& options) {
    return append({Op::batch_norm, name, {x.node}, shape(x), options});
}

Value Graph::layer_norm(Value x, const std::string& name, const LayerNorm& options) {
    return append({Op::layer_norm, name, {x.node}, shape(x), options});
}

Value Graph::layer_scale(Value x, const std::string& name, const LayerScale& options) {
    return append({Op::layer_scale, name, {x.node}, shape(x), options});
}

Value Graph::linear_of_pixels(Value x, const std::string& name, std::int64_t outputs) {
    return convolution(x, name, {.channels = outputs, .bias = true, .matrix = true});
}

Value Graph::relu(Value x, const std::string& name) {
    return append({Op::relu, name, {x.node}, shape(x), {}});
}

Value Graph::relu6(Value x, const std::string& name) {
    return append({Op::relu6, name, {x.node}, shape(x), {}});
}

Value Graph::gelu(Value x, const std::string& name) {
    return append({Op::gelu, name, {x.node}, shape(x), {}});
}

Value Graph::pool(Op op, Value x, const Pool& options, const std::string& name) {
    const Shape in = shape(x);
    Pool resolved = options;
    auto& p = resolved.padding;
    if (resolved.ceil_mode) {
        p.bottom = padding_for_ceil(in.height, p.top, p.bottom, options.kernel.height,
                                    options.stride.height);
        p.right =
            padding_for_ceil(in.width, p.left, p.right, options.kernel.width, options.stride.width);
    }
    return append({.op = op,
                   .name = name,
                   .inputs = {x.node},
                   .shape = {in.channels,
                             extent_after(in.height, p.top + p.bottom, options.kernel.height,
                                          options.stride.height, 1),
                             extent_after(in.width, p.left + p.right, options.kernel.width,
                                          options.stride.width, 1)},
                   .attributes = resolved});
}

Value Graph::max_pool(Value x, const Pool& options, const std::string& name) {
    return pool(Op::max_pool, x, options, name);
}

Value Graph::average_pool(Value x, const Pool& options, const std::string& name) {
    VALIDATE(!options.ceil_mode, "average pool '{}' cannot hang over the image (ceil_mode); pad it",
             name);
    return pool(Op::average_pool, x, options, name);
}

Value Graph::adaptive_average_pool(Value x, Extent size, const std::string& name) {
    return append({Op::adaptive_average_pool,
                   name,
                   {x.node},
                   {shape(x).channels, size.height, size.width},
                   {}});
}

Value Graph::global_average_pool(Value x, const std::string& name) {
    return adaptive_average_pool(x, 1, name);
}

Value Graph::linear(Value x, const std::string& name, std::int64_t outputs, bool bias) {
    return append({Op::linear, name, {x.node}, {outputs, 1, 1}, Linear{outputs, bias}});
}

Value Graph::add(Value a, Value b, const std::string& name) {
    VALIDATE(shape(a) == shape(b), "'{}' and '{}' cannot be added (their shapes differ)",
             node(a).name, node(b).name);
    return append({Op::add, name, {a.node, b.node}, shape(a), {}});
}

Value Graph::concat(const std::vector<Value>& parts, const std::string& name) {
    VALIDATE(!parts.empty(), "nothing to concatenate in '{}'; give it at least one value", name);
    Node joined{Op::concat, name, {}, shape(parts.front()), {}};
    joined.shape.channels = 0;
    for (const auto part : parts) {
        const Shape& one = shape(part);
        VALIDATE(one.height == joined.shape.height && one.width == joined.shape.width,
                 "'{}' and '{}' cannot be concatenated (their sizes in pixels differ)",
                 node(parts.front()).name, node(part).name);
        joined.shape.channels += one.channels;
        joined.inputs.push_back(part.node);
    }
    return append(std::move(joined));
}

Value Graph::pad_channels(Value x, const ChannelPadding& padding, const std::string& name) {
    const auto& in = shape(x);
    VALIDATE(padding.before >= 0 && padding.behind >= 0,
             "'{}' is to get {} and {} more channels; give none or more", node(x).name,
             padding.before, padding.behind);
    return append({Op::pad_channels,
                   name,
                   {x.node},
                   {padding.before + in.channels + padding.behind, in.height, in.width},
                   padding});
}

Value Graph::drop(Op op, Value x, double probability, const std::string& name) {
    VALIDATE(probability >= 0 && probability < 1,
             "the probability {} of {} '{}' is not in [0, 1); lower it", probability, op_name(op),
             name);
    return append({op, name, {x.node}, shape(x), Dropout{probability}});
}

Value Graph::dropout(Value x, double probability, const std::string& name) {
    return drop(Op::dropout, x, probability, name);
}

Value Graph::stochastic_depth(Value x, double probability, const std::string& name) {
    return drop(Op::stochastic_depth, x, probability, name);
}

Value Graph::flatten(Value x, const std::string& name) {
    return append({Op::flatten, name, {x.node}, {shape(x).elements(), 1, 1}, {}});
}

Value Graph::unflatten(Value x, const Shape& image, const std::string& name) {
    VALIDATE(shape(x).channels == image.elements() && shape(x).pixels() == 1,
             "'{}' is no row of {} numbers, which an image of {} x {} pixels with {} channels has",
             node(x).name, image.elements(), image.height, image.width, image.channels);
    return append({Op::unflatten, name, {x.node}, image, {}});
}

Value Graph::upsample(Value x, std::int64_t factor, const std::string& name) {
    return adaptive_average_pool(x, {factor * shape(x).height, factor * shape(x).width}, name);
}

Padding Graph::same_padding(Value x, Extent kernel, Extent stride) const {
    const auto total = [](std::int64_t size, std::int64_t kernel_size, std::int64_t step) {
        const std::int64_t out = (size + step - 1) / step;
        return std::max<std::int64_t>((out - 1) * step + kernel_size - size, 0);
    };
    const std::int64_t rows = total(shape(x).height, kernel.height, stride.height);
    const std::int64_t columns = total(shape(x).width, kernel.width, stride.width);
    return {rows / 2, columns / 2, rows - rows / 2, columns - columns / 2};
}

void Graph::add_name(Value x, const std::string& name) {
    VALIDATE(!has(name), "two nodes of the network are named '{}' (names find values); rename one",
             name);
    other_names_.emplace_back(name, x.node);
}

Value Graph::output() const {
    return {output_ >= 0 ? output_ : static_cast<int>(nodes_.size()) - 1};
}

Value Graph::features() const {
    if (features_ >= 0) return {features_};
    const auto last = std::find_if(nodes_.rbegin(), nodes_.rend(),
                                   [](const Node& each) { return each.op == Op::linear; });
    return last == nodes_.rend() ? output() : Value{last->inputs[0]};
}

bool Graph::has(const std::string& name) const {
    return std::any_of(nodes_.begin(), nodes_.end(),
                       [&](const Node& each) { return each.name == name; }) ||
           std::any_of(other_names_.begin(), other_names_.end(),
                       [&](const auto& each) { return each.first == name; });
}

Value Graph::find(const std::string& name) const {
    for (std::size_t i = 0; i < nodes_.size(); ++i)
        if (nodes_[i].name == name) return {static_cast<int>(i)};
    for (const auto& [other, node] : other_names_)
        if (other == name) return {node};
    std::vector<std::string> names;
    for (const auto& each : nodes_) names.push_back(each.name);
    for (const auto& each : other_names_) names.push_back(each.first);
    throw InputError(
        fmt::format("the network has no layer '{}'; it has: {}", name, fmt::join(names, ", ")));
}

std::vector<bool> Graph::ancestors(Value x) const {
    std::vector<bool> reached(nodes_.size(), false);
    reached[static_cast<std::size_t>(x.node)] = true;
    for (auto i = static_cast<std::size_t>(x.node) + 1; i-- > 0;)
        if (reached[i])
            for (const int input : nodes_[i].inputs)
                reached[static_cast<std::size_t>(input)] = true;
    return reached;
}

std::vector<TensorSpec> Graph::parameters() const {
    std::vector<TensorSpec> specs;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
        const auto& each = nodes_[i];
        const int index = static_cast<int>(i);
        const auto bias = [&](ParameterKind kind) {
            specs.push_back({each.name + ".bias", {each.shape.channels}, kind, index});
        };
        if (const auto* convolution = std::get_if<Convolution>(&each.attributes)) {
            const std::int64_t in = shape({each.inputs[0]}).channels;
            std::vector<std::int64_t> extents{convolution->channels, in / convolution->groups};
            if (!convolution->matrix)
                extents.insert(extents.end(),
                               {convolution->kernel.height, convolution->kernel.width});
            specs.push_back(
                {each.name + ".weight", std::move(extents), ParameterKind::weight, index});
            if (convolution->bias) bias(ParameterKind::bias);
        } else if (const auto* linear = std::get_if<Linear>(&each.attributes)) {
            specs.push_back({each.name + ".weight",
                             {linear->outputs, shape({each.inputs[0]}).elements()},
                             ParameterKind::weight,
                             index});
            if (linear->bias) bias(ParameterKind::bias);
        } else if (each.op == Op::layer_scale) {
            specs.push_back({each.name, {each.shape.channels, 1, 1}, ParameterKind::scale, index});
        } else if (each.op == Op::batch_norm || each.op == Op::layer_norm) {
            specs.push_back(
                {each.name + ".weight", {each.shape.channels}, ParameterKind::norm, index});
            bias(ParameterKind::norm);
        }
    }
    return specs;
}

std::vector<TensorSpec> Graph::buffers() const {
    std::vector<TensorSpec> specs;
    for (std::size_t i = 0; i < nodes_.size(); ++i)
        if (nodes_[i].op == Op::batch_norm)
            for (const char* statistic : {".running_mean", ".running_var"})
                specs.push_back({nodes_[i].name + statistic,
                                 {nodes_[i].shape.channels},
                                 ParameterKind::norm,
                                 static_cast<int>(i)});
    return specs;
}

std::int64_t Graph::parameter_count() const {
    std::int64_t count = 0;
    for (const auto& spec : parameters()) count += spec.elements();
    return count;
}

}  // namespace nanoatlas::nn
