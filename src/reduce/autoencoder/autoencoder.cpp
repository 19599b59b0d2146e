#include "reduce/autoencoder/autoencoder.hpp"

#include <fmt/ranges.h>

#include <bit>

#include "base/check.hpp"
#include "base/number.hpp"

namespace nanoatlas::reduce {
namespace {

constexpr std::int64_t widest = 1 << 20;

void check_sizes(const Autoencoder& autoencoder) {
    const auto columns = autoencoder.input.elements();
    VALIDATE(autoencoder.code > 0,
             "an autoencoder with a code of {} numbers keeps nothing; --components is the number "
             "of columns to keep, 10 for example",
             autoencoder.code);
    VALIDATE(
        autoencoder.code < columns,
        "--components {} of {} columns or pixels leaves nothing to learn (an autoencoder is to "
        "have fewer numbers to pass on than it reads); ask for fewer",
        autoencoder.code, columns);
    VALIDATE(columns <= widest, "an autoencoder cannot read {} columns, {} at most", columns,
             widest);
    for (const auto units : autoencoder.hidden)
        VALIDATE(units > 0 && units <= widest,
                 "a layer of {} units or channels is not in [1, {}]; change --hidden", units,
                 widest);
}

nn::Graph graph_of_columns(const Autoencoder& autoencoder) {
    nn::Graph graph(autoencoder.input);
    const auto& hidden = autoencoder.hidden;
    auto x = graph.input();
    for (std::size_t i = 0; i < hidden.size(); ++i)
        x = graph.gelu(graph.linear(x, fmt::format("encoder.{}", i), hidden[i]));
    x = graph.linear(x, "code", autoencoder.code);
    graph.set_features(x);
    for (std::size_t i = hidden.size(); i-- > 0;)
        x = graph.gelu(graph.linear(x, fmt::format("decoder.{}", i), hidden[i]));
    graph.set_output(graph.linear(x, "reconstruction", autoencoder.input.elements()));
    return graph;
}

nn::Graph graph_of_pictures(const Autoencoder& autoencoder) {
    const auto& channels = autoencoder.hidden;
    const auto depth = channels.size();
    VALIDATE(depth > 0 && depth <= 20 && autoencoder.input.height % (std::int64_t{1} << depth) == 0,
             "pictures of {} x {} pixels cannot be halved by {} convolutions; give --hidden one to "
             "{} numbers, or another --size",
             autoencoder.input.height, autoencoder.input.width, depth,
             std::countr_zero(static_cast<std::uint64_t>(autoencoder.input.height)));
    nn::Graph graph(autoencoder.input);
    const auto normed = [&](nn::Value x, const std::string& name) {
        return graph.relu(graph.batch_norm(x, name + ".norm"));
    };
    auto x = graph.input();
    for (std::size_t i = 0; i < depth; ++i) {
        const auto name = fmt::format("encoder.{}", i);
        x = normed(graph.convolution(
                       x, name, {.channels = channels[i], .kernel = 3, .stride = 2, .padding = 1}),
                   name);
    }
    const auto map = graph.shape(x);
    x = graph.linear(graph.flatten(x), "code", autoencoder.code);
    graph.set_features(x);
    x = graph.unflatten(graph.linear(x, "decoder.map", map.elements()), map);
    x = normed(x, "decoder.map");
    for (std::size_t i = depth; i-- > 1;) {
        const auto name = fmt::format("decoder.{}", i);
        x = normed(graph.convolution(graph.upsample(x, 2), name,
                                     {.channels = channels[i - 1], .kernel = 3, .padding = 1}),
                   name);
    }
    graph.set_output(graph.convolution(graph.upsample(x, 2), "reconstruction",
                                       {.channels = 1, .kernel = 3, .padding = 1, .bias = true}));
    return graph;
}

}  // namespace

nn::Graph graph_of(const Autoencoder& autoencoder) {
    check_sizes(autoencoder);
    return autoencoder.reads_pictures() ? graph_of_pictures(autoencoder)
                                        : graph_of_columns(autoencoder);
}

std::string layer_behind_code(const Autoencoder& autoencoder) {
    if (autoencoder.reads_pictures()) return "decoder.map";
    const auto layers = autoencoder.hidden.size();
    return layers > 0 ? fmt::format("decoder.{}", layers - 1) : "reconstruction";
}

std::vector<std::int64_t> parse_hidden(const std::string& text) {
    std::vector<std::int64_t> hidden;
    if (text == "none") return hidden;
    for (std::size_t begin = 0; begin <= text.size();) {
        const auto end = std::min(text.find(',', begin), text.size());
        const auto units = base::parse_number<std::int64_t>(text.substr(begin, end - begin));
        VALIDATE(units && *units > 0 && *units <= widest,
                 "--hidden is '{}'; give the sizes of the layers by commas (512,128), or none",
                 text);
        hidden.push_back(*units);
        begin = end + 1;
    }
    return hidden;
}

std::string hidden_text(const std::vector<std::int64_t>& hidden) {
    return hidden.empty() ? "none" : fmt::format("{}", fmt::join(hidden, ","));
}

}  // namespace nanoatlas::reduce
