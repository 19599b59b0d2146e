#include "nn/zoo/zoo.hpp"

#include <fmt/ranges.h>

#include <functional>
#include <map>

#include "base/check.hpp"
#include "nn/zoo/families.hpp"

namespace nanoatlas::nn::zoo {

namespace {

struct Entry {
    std::function<Value(Graph&, const Options&)> add;
    Ends ends;
    std::int64_t size = 224;  ///< as published
};

Entry resnet(const ResNet& shape) {
    return {
        [shape](Graph& graph, const Options& options) { return add_resnet(graph, options, shape); },
        {"conv1", "fc"}};
}

Entry resnet_cifar(int depth) {
    return {[depth](Graph& graph, const Options& options) {
                return add_resnet_cifar(graph, options, depth);
            },
            {"conv1", "linear"},
            32};
}

Entry densenet(const DenseNet& shape) {
    return {[shape](Graph& graph, const Options& options) {
                return add_densenet(graph, options, shape);
            },
            {"features.conv0", "classifier"}};
}

Entry efficientnet_lite(const EfficientNetLite& shape, std::int64_t size) {
    return {[shape](Graph& graph, const Options& options) {
                return add_efficientnet_lite(graph, options, shape);
            },
            {"_conv_stem", "_fc"},
            size};
}

const std::map<std::string, Entry>& table() {
    static const std::map<std::string, Entry> entries = {
        {"alexnet", {add_alexnet, {"features.0", "classifier.6"}}},
        {"convnext_tiny", {add_convnext_tiny, {"features.0.0", "classifier.2"}}},
        {"densenet121", densenet({{6, 12, 24, 16}})},
        {"densenet169", densenet({{6, 12, 32, 32}})},
        {"densenet201", densenet({{6, 12, 48, 32}})},
        {"efficientnet_lite0", efficientnet_lite({1.0, 1.0, 0.2}, 224)},
        {"efficientnet_lite1", efficientnet_lite({1.0, 1.1, 0.2}, 240)},
        {"efficientnet_lite2", efficientnet_lite({1.1, 1.2, 0.3}, 260)},
        {"inception_v3", {add_inception_v3, {"Conv2d_1a_3x3.conv", "fc", "AuxLogits.fc"}, 299}},
        {"mobilenet_v2", {add_mobilenet_v2, {"features.0.0", "classifier.1"}}},
        {"resnet101", resnet({Block::bottleneck, {3, 4, 23, 3}})},
        {"resnet152", resnet({Block::bottleneck, {3, 8, 36, 3}})},
        {"resnet18", resnet({Block::basic, {2, 2, 2, 2}})},
        {"resnet20_cifar", resnet_cifar(3)},
        {"resnet34", resnet({Block::basic, {3, 4, 6, 3}})},
        {"resnet50", resnet({Block::bottleneck, {3, 4, 6, 3}})},
        {"squeezenet1_1", {add_squeezenet1_1, {"features.0", "classifier.1"}}},
        {"vgg11", {add_vgg11, {"features.0", "classifier.6"}}},
    };
    return entries;
}

const Entry& find(const std::string& name) {
    const auto found = table().find(name);
    VALIDATE(found != table().end(), "unknown network '{}' (known are {}); choose one of them",
             name, fmt::join(names(), ", "));
    return found->second;
}

}  // namespace

Graph make(const std::string& name, const Options& options) {
    const auto& entry = find(name);
    VALIDATE(
        options.classes >= 1 && options.channels >= 1 && options.size >= 0,
        "network '{}' for {} classes and an input of {} channels and {} pixels (each must be at "
        "least 1); give sensible numbers",
        name, options.classes, options.channels, options.size);
    const auto size = options.size > 0 ? options.size : entry.size;
    Graph graph({options.channels, size, size});
    graph.set_output(entry.add(graph, options));
    return graph;
}

std::vector<std::string> names() {
    std::vector<std::string> found;
    for (const auto& [name, entry] : table()) found.push_back(name);
    return found;
}

Ends ends(const std::string& name) {
    return find(name).ends;
}

std::int64_t published_size(const std::string& name) {
    return find(name).size;
}

}  // namespace nanoatlas::nn::zoo
