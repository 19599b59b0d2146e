#include "nn/zoo/families.hpp"

namespace nanoatlas::nn::zoo {

namespace {

/// Adds convolutions with norm and ReLU, and the modules made of them, under torchvision's names.
class Builder {
  public:
    explicit Builder(Graph& graph) : graph_(graph) {}

    Value unit(Value x, const std::string& name, const Convolution& options) {
        x = graph_.convolution(x, name + ".conv", options);
        return graph_.relu(graph_.batch_norm(x, name + ".bn", {.eps = 1e-3}));
    }
    Value wide(Value x, const std::string& name, std::int64_t channels, std::int64_t length) {
        return unit(x, name,
                    {.channels = channels, .kernel = {1, length}, .padding = {0, length / 2}});
    }
    Value tall(Value x, const std::string& name, std::int64_t channels, std::int64_t length) {
        return unit(x, name,
                    {.channels = channels, .kernel = {length, 1}, .padding = {length / 2, 0}});
    }
    Value square(Value x, const std::string& name, std::int64_t channels, std::int64_t side) {
        return unit(x, name, {.channels = channels, .kernel = side, .padding = side / 2});
    }
    Value halve(Value x, const std::string& name, std::int64_t channels) {
        return unit(x, name, {.channels = channels, .kernel = 3, .stride = 2});
    }
    Value halve(Value x) { return graph_.max_pool(x, {.kernel = 3, .stride = 2}); }
    Value pooled(Value x, const std::string& name, std::int64_t channels) {
        x = graph_.average_pool(x, {.kernel = 3, .stride = 1, .padding = 1});
        return unit(x, name + ".branch_pool", {.channels = channels});
    }

    /// 35x35 pixels: 1x1, 5x5, and two 3x3.
    Value module_a(Value x, const std::string& name, std::int64_t pool_channels) {
        const auto one = unit(x, name + ".branch1x1", {.channels = 64});
        auto five = unit(x, name + ".branch5x5_1", {.channels = 48});
        five = square(five, name + ".branch5x5_2", 64, 5);
        return graph_.concat(
            {one, five, square(twice_three(x, name), name + ".branch3x3dbl_3", 96, 3),
             pooled(x, name, pool_channels)},
            name);
    }
    /// From 35x35 to 17x17 pixels.
    Value module_b(Value x, const std::string& name) {
        return graph_.concat({halve(x, name + ".branch3x3", 384),
                              halve(twice_three(x, name), name + ".branch3x3dbl_3", 96), halve(x)},
                             name);
    }
    /// 17x17 pixels: 1x1, one and two 7x7, each in two parts.
    Value module_c(Value x, const std::string& name, std::int64_t channels) {
        const auto one = unit(x, name + ".branch1x1", {.channels = 192});
        auto once = unit(x, name + ".branch7x7_1", {.channels = channels});
        once = wide(once, name + ".branch7x7_2", channels, 7);
        once = tall(once, name + ".branch7x7_3", 192, 7);
        auto twice = unit(x, name + ".branch7x7dbl_1", {.channels = channels});
        twice = tall(twice, name + ".branch7x7dbl_2", channels, 7);
        twice = wide(twice, name + ".branch7x7dbl_3", channels, 7);
        twice = tall(twice, name + ".branch7x7dbl_4", channels, 7);
        twice = wide(twice, name + ".branch7x7dbl_5", 192, 7);
        return graph_.concat({one, once, twice, pooled(x, name, 192)}, name);
    }
    /// From 17x17 to 8x8 pixels.
    Value module_d(Value x, const std::string& name) {
        const auto three = unit(x, name + ".branch3x3_1", {.channels = 192});
        auto seven = unit(x, name + ".branch7x7x3_1", {.channels = 192});
        seven = wide(seven, name + ".branch7x7x3_2", 192, 7);
        seven = tall(seven, name + ".branch7x7x3_3", 192, 7);
        return graph_.concat({halve(three, name + ".branch3x3_2", 320),
                              halve(seven, name + ".branch7x7x3_4", 192), halve(x)},
                             name);
    }
    /// 8x8 pixels: 1x1, and 3x3 whose two parts stand side by side.
    Value module_e(Value x, const std::string& name) {
        const auto one = unit(x, name + ".branch1x1", {.channels = 320});
        const auto three = unit(x, name + ".branch3x3_1", {.channels = 384});
        auto twice = unit(x, name + ".branch3x3dbl_1", {.channels = 448});
        twice = square(twice, name + ".branch3x3dbl_2", 384, 3);
        return graph_.concat({one, wide(three, name + ".branch3x3_2a", 384, 3),
                              tall(three, name + ".branch3x3_2b", 384, 3),
                              wide(twice, name + ".branch3x3dbl_3a", 384, 3),
                              tall(twice, name + ".branch3x3dbl_3b", 384, 3), pooled(x, name, 192)},
                             name);
    }

    /// Its 5x5 convolution needs 17x17 pixels; smaller ones get no auxiliary output.
    void add_auxiliary(Value x, std::int64_t classes) {
        if (graph_.shape(x).height < 17 || graph_.shape(x).width < 17) return;
        x = graph_.average_pool(x, {.kernel = 5, .stride = 3});
        x = unit(x, "AuxLogits.conv0", {.channels = 128});
        x = unit(x, "AuxLogits.conv1", {.channels = 768, .kernel = 5});
        x = graph_.flatten(graph_.global_average_pool(x));
        graph_.set_auxiliary(graph_.linear(x, "AuxLogits.fc", classes), 0.4);
    }

  private:
    Value twice_three(Value x, const std::string& name) {
        x = unit(x, name + ".branch3x3dbl_1", {.channels = 64});
        return square(x, name + ".branch3x3dbl_2", 96, 3);
    }

    Graph& graph_;
};

}  // namespace

Value add_inception_v3(Graph& graph, const Options& options) {
    Builder add(graph);
    auto x = add.halve(graph.input(), "Conv2d_1a_3x3", 32);
    x = add.unit(x, "Conv2d_2a_3x3", {.channels = 32, .kernel = 3});
    x = add.halve(add.square(x, "Conv2d_2b_3x3", 64, 3));
    x = add.unit(x, "Conv2d_3b_1x1", {.channels = 80});
    x = add.halve(add.unit(x, "Conv2d_4a_3x3", {.channels = 192, .kernel = 3}));
    x = add.module_a(x, "Mixed_5b", 32);
    x = add.module_a(x, "Mixed_5c", 64);
    x = add.module_a(x, "Mixed_5d", 64);
    x = add.module_b(x, "Mixed_6a");
    x = add.module_c(x, "Mixed_6b", 128);
    x = add.module_c(x, "Mixed_6c", 160);
    x = add.module_c(x, "Mixed_6d", 160);
    x = add.module_c(x, "Mixed_6e", 192);
    add.add_auxiliary(x, options.classes);
    x = add.module_d(x, "Mixed_7a");
    x = add.module_e(x, "Mixed_7b");
    x = add.module_e(x, "Mixed_7c");
    x = graph.flatten(graph.global_average_pool(x, "avgpool"), "flatten");
    graph.set_features(x);
    x = maybe_dropout(graph, x, 0.5, options);
    return graph.linear(x, "fc", options.classes);
}

}  // namespace nanoatlas::nn::zoo
