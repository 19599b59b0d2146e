#include "nn/train/layer_features.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "nn/train/evaluation.hpp"

namespace nanoatlas::nn {
namespace {

std::vector<Value> find_layers(const Graph& graph, const std::string& text) {
    if (text.empty()) return {graph.features()};
    std::vector<Value> layers;
    for (std::size_t begin = 0; begin <= text.size();) {
        const auto end = std::min(text.find(',', begin), text.size());
        layers.push_back(graph.find(text.substr(begin, end - begin)));
        begin = end + 1;
    }
    return layers;
}

void make_unit_length(std::span<double> values) {
    double square = 0;
    for (const double value : values) square += value * value;
    for (auto& value : values) value = square > 0 ? value / std::sqrt(square) : 0;
}

}  // namespace

LayerFeatures::LayerFeatures(const Graph& graph, const std::string& layers, Pooling pooling) {
    const auto found = find_layers(graph, layers);
    const bool pooled = pooling == Pooling::on || found.size() > 1;
    for (const auto layer : found) {
        const auto& shape = graph.shape(layer);
        layers_.push_back({.name = graph.node(layer).name,
                           .columns = pooled ? shape.channels : shape.elements(),
                           .pixels = pooled ? shape.pixels() : 1});
        columns_ += layers_.back().columns;
    }
}

std::vector<std::string> LayerFeatures::names() const {
    std::vector<std::string> names;
    for (const auto& layer : layers_) names.push_back(layer.name);
    return names;
}

std::string LayerFeatures::text() const {
    return fmt::format("{}", fmt::join(names(), ","));
}

std::vector<float> LayerFeatures::mean_over(const ViewSet& views, Network& network,
                                            ImageInputs& inputs,
                                            std::span<const std::int64_t> rows) const {
    std::vector<double> sums(rows.size() * static_cast<std::size_t>(columns_));
    for (std::int64_t number = 0; number < views.count(); ++number) {
        inputs.show([&](std::int64_t row) { return views.view(number, row); });
        forward_rows(
            network, std::ssize(rows), inputs, rows, [&](std::int64_t, std::span<const float>) {
                double* sum = sums.data();
                std::vector<std::vector<float>> values;
                for (const auto& layer : layers_) values.push_back(network.value(layer.name));
                for (std::size_t i = 0; i < rows.size(); ++i)
                    for (std::size_t l = 0; l < layers_.size(); ++l) {
                        const auto& [name, columns, pixels] = layers_[l];
                        const float* value =
                            values[l].data() + static_cast<std::int64_t>(i) * columns * pixels;
                        for (std::int64_t j = 0; j < columns; ++j, ++sum)
                            for (std::int64_t p = 0; p < pixels; ++p) *sum += *value++;
                    }
            });
    }
    for (std::size_t at = 0; at < sums.size();)
        for (const auto& layer : layers_) {
            const auto part = std::span(sums).subspan(at, static_cast<std::size_t>(layer.columns));
            for (auto& value : part) value /= static_cast<double>(layer.pixels * views.count());
            if (layers_.size() > 1) make_unit_length(part);
            at += part.size();
        }
    return {sums.begin(), sums.end()};
}

}  // namespace nanoatlas::nn
