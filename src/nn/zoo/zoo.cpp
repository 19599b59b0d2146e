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
            {"conv1", "linear"}};
}

const Entry& find(const std::string& name) {
    static const std::map<std::string, Entry> table = {
        {"alexnet", {add_alexnet, {"features.0", "classifier.6"}}},
        {"efficientnet_lite0", {add_efficientnet_lite0, {"_conv_stem", "_fc"}}},
        {"resnet20_cifar", resnet_cifar(3)},
        {"resnet18", resnet({Block::basic, {2, 2, 2, 2}})},
        {"resnet34", resnet({Block::basic, {3, 4, 6, 3}})},
        {"resnet50", resnet({Block::bottleneck, {3, 4, 6, 3}})},
        {"squeezenet1_1", {add_squeezenet1_1, {"features.0", "classifier.1"}}},
    };
    const auto found = table.find(name);
    VALIDATE(found != table.end(), "unknown network '{}' (known are {}); choose one of them", name,
             fmt::join(names(), ", "));
    return found->second;
}

}  // namespace

Graph make(const std::string& name, const Options& options) {
    const auto& entry = find(name);
    VALIDATE(
        options.classes >= 1 && options.channels >= 1 && options.size >= 1,
        "network '{}' for {} classes and an input of {} channels and {} pixels (each must be at "
        "least 1); give sensible numbers",
        name, options.classes, options.channels, options.size);
    Graph graph({options.channels, options.size, options.size});
    graph.set_output(entry.add(graph, options));
    return graph;
}

std::vector<std::string> names() {
    return {"alexnet",  "efficientnet_lite0", "resnet18",     "resnet20_cifar",
            "resnet34", "resnet50",           "squeezenet1_1"};
}

Ends ends(const std::string& name) {
    return find(name).ends;
}

}  // namespace nanoatlas::nn::zoo
