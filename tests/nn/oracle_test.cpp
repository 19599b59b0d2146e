// The zoo's networks on the engine against torchvision in f64, and against the ONNX model zoo: the
// same weights and images, shared out over the ranks.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string_view>

#include "comm/distribution.hpp"
#include "kernels/onednn/onednn.hpp"
#include "nn/import/import_model.hpp"
#include "nn/network.hpp"
#include "nn/zoo/zoo.hpp"
#include "store/npy.hpp"
#include "tests/mpi_test.hpp"
#include "tests/nn/formula.hpp"
#include "tests/shared_data.hpp"

namespace nanoatlas::nn {
namespace {

using testing::world;

/// How far from f64 we may be, in units of how far torch's own f32 run is. Roundings are 2^-8 of a
/// value in bf16 and 2^-24 in f32, errors are linear in them, and bf16 rounds weights beside values
/// (docs/networks.md).
constexpr double margin = 5;
constexpr double bf16_margin = 2 * 65536;
/// Gradients jump where a ReLU's input is 0 but for rounding, as one in a million is: torch's f32
/// run has such units or has not, by luck. One makes up this part of a gradient, and of later
/// losses.
constexpr double jump = 2e-3;
/// Where torch's f32 loss is further than this part of the first loss from f64, rounding has taken
/// over and later steps compare nothing.
constexpr double chaos = 0.01;
/// A quarter of the work would be later steps of these, which run what those of DenseNet-121,
/// ResNet-18 and 50, AlexNet and SqueezeNet run.
constexpr std::array<std::string_view, 4> one_step = {"densenet169", "densenet201", "resnet34",
                                                      "vgg11"};

std::span<const float> rows(const std::vector<float>& values, const comm::RowBlock& block,
                            std::int64_t row_length) {
    return std::span(values).subspan(static_cast<std::size_t>(block.first * row_length),
                                     static_cast<std::size_t>(block.count * row_length));
}

double norm(std::span<const float> values) {
    double sum = 0;
    for (const double value : values) sum += value * value;
    return std::sqrt(sum);
}

/// torch.optim.SGD: velocity = momentum * velocity + gradient + decay * weight.
class Sgd {
  public:
    explicit Sgd(const nlohmann::json& settings)
        : rate_(settings.at("lr")),
          momentum_(settings.at("momentum")),
          decay_(settings.at("weight_decay")) {}

    void apply(std::span<float> weights, std::span<const float> gradients) {
        velocity_.resize(weights.size());
        for (std::size_t i = 0; i < weights.size(); ++i) {
            velocity_[i] = momentum_ * velocity_[i] + gradients[i] + decay_ * weights[i];
            weights[i] -= rate_ * velocity_[i];
        }
    }

  private:
    float rate_, momentum_, decay_;
    std::vector<float> velocity_;
};

class Oracle : public ::testing::TestWithParam<std::string> {
  protected:
    void SetUp() override {
        NEEDS_SHARED("oracles/nn");
        oracle_ = nlohmann::json::parse(std::ifstream(folder() / (GetParam() + ".json")));
        samples_ = oracle_.at("input").at(0).get<std::int64_t>();
        const auto side = oracle_.at("input").at(2).get<std::int64_t>();
        image_elements_ = 3 * side * side;
        block_ = comm::row_block(samples_, world());
        const auto graph = zoo::make(GetParam(), {});
        const bool jumps = std::ranges::any_of(graph.nodes(), [](const Node& node) {
            return node.op == Op::relu || node.op == Op::relu6;
        });
        jump_ = jumps ? jump : 1e-5;
        images_ = testing::formula_values("input", samples_ * image_elements_, 1, 0);
    }
    static std::filesystem::path folder() { return testing::shared_data() / "oracles/nn"; }
    std::span<const float> my_images() const { return rows(images_, block_, image_elements_); }

    /// Rounding grows from step to step, and torch's own may be small by luck: as far as torch's
    /// f32 run is from f64 at any step up to the next one.
    double loss_tolerance(std::size_t step) const {
        const auto& exact = oracle_.at("losses_before_each_step_f64");
        const auto& torch_f32 = oracle_.at("losses_f32");
        double spread = 0;
        for (std::size_t s = 0; s < std::min(step + 2, exact.size()); ++s)
            spread =
                std::max(spread, std::abs(torch_f32[s].get<double>() - exact[s].get<double>()));
        return margin * spread + (step == 0 ? 1e-5 : jump_) * exact[step].get<double>();
    }

    /// Losses that are worth comparing: one before each step and one behind the last.
    std::size_t comparable_losses() const {
        const auto exact = oracle_.at("losses_before_each_step_f64").get<std::vector<double>>();
        const auto torch_f32 = oracle_.at("losses_f32").get<std::vector<double>>();
        const auto most = std::ranges::count(one_step, GetParam()) > 0 ? 2 : exact.size();
        std::size_t count = 1;
        while (count < most && std::abs(torch_f32[count] - exact[count]) < chaos * exact[0])
            ++count;
        return count;
    }

    Network training_network(Precision precision) const {
        const auto graph = zoo::make(GetParam(), {.classes = 10, .dropout = false});
        Network network(graph, {.batch = block_.count, .precision = precision, .training = true},
                        world());
        network.load(testing::formula_tensors(graph));
        return network;
    }

    std::vector<std::int32_t> my_labels() const {
        const auto all = oracle_.at("labels").get<std::vector<std::int32_t>>();
        return {all.begin() + block_.first, all.begin() + block_.end()};
    }

    void expect_logits(Precision precision, double times_torch) const {
        const auto graph = zoo::make(GetParam(), {});
        Network network(graph, {.batch = block_.count, .precision = precision}, world());
        network.load(testing::formula_tensors(graph));
        const auto found = network.forward(my_images());
        const auto expected = store::read_npy<float>(folder() / (GetParam() + "_logits.npy"));
        const auto wanted = rows(expected.values, block_, 1000);
        ASSERT_EQ(found.size(), wanted.size());
        double worst = 0;
        for (std::size_t i = 0; i < wanted.size(); ++i)
            worst = std::max<double>(worst, std::abs(found[i] - wanted[i]));
        const double torch_f32 = oracle_.at("logits_f32_max_abs_error");
        EXPECT_LE(worst, times_torch * torch_f32);
        RecordProperty("error_over_torch_f32", std::to_string(worst / torch_f32));
    }

    void expect_gradient_norms(Network& network, double times_torch) const {
        const auto expected =
            oracle_.at("grad_norms_first_step_f64").get<std::map<std::string, double>>();
        double largest = 0;
        for (const auto& [name, value] : expected) largest = std::max(largest, value);
        const double tolerance =
            times_torch * oracle_.at("grad_norm_f32_max_rel_error").get<double>() + jump_;
        EXPECT_EQ(network.slots().size(), expected.size());
        for (const auto& slot : network.slots()) {
            const double found = norm(network.gradients().subspan(
                static_cast<std::size_t>(slot.offset), static_cast<std::size_t>(slot.size)));
            const double wanted = expected.at(slot.name);
            EXPECT_LE(std::abs(found - wanted) / (wanted + 1e-3 * largest), tolerance) << slot.name;
        }
    }

    void expect_running_norms(const Network& network) const {
        const auto tensors = network.tensors();
        for (const auto& [name, value] : oracle_.at("running_norms_after_5_steps_f64").items()) {
            const double wanted = value;
            EXPECT_NEAR(norm(tensors.at(name).values), wanted, 5e-3 * wanted + 1e-5) << name;
        }
    }

    nlohmann::json oracle_;
    std::int64_t samples_ = 0, image_elements_ = 0;
    double jump_ = 0;
    comm::RowBlock block_;
    std::vector<float> images_;
};

// In f32 cuDNN's engines add up thousands of products one after the other, torch's CPU kernels in
// blocks: VGG's largest layers come out 5.6 times as far from f64 as there.
TEST_P(Oracle, logits) {
    expect_logits(Precision::f32, default_backend() == BackendKind::cudnn ? 1.5 * margin : margin);
}

TEST_P(Oracle, logits_in_bf16) {
    if (!kernels::onednn::has_bf16()) GTEST_SKIP() << "skipped: this processor has no bf16";
    expect_logits(Precision::bf16, bf16_margin);
}

TEST_P(Oracle, training_steps) {
    auto network = training_network(Precision::f32);
    const auto labels = my_labels();
    const auto exact = oracle_.at("losses_before_each_step_f64").get<std::vector<double>>();
    const auto losses = comparable_losses();
    Sgd sgd(oracle_.at("optimizer"));
    for (std::size_t step = 0; step < losses; ++step) {
        const auto result = network.train_step(my_images(), labels, {}, {});
        EXPECT_NEAR(result.loss, exact[step], loss_tolerance(step)) << "step " << step;
        if (step == 0) expect_gradient_norms(network, margin);
        if (step + 1 < losses) sgd.apply(network.parameters(), network.gradients());
    }
    if (losses == exact.size()) expect_running_norms(network);
}

INSTANTIATE_TEST_SUITE_P(Networks, Oracle,
                         ::testing::Values("alexnet", "convnext_tiny", "densenet121", "densenet169",
                                           "densenet201", "inception_v3", "mobilenet_v2",
                                           "resnet18", "resnet34", "resnet50", "resnet101",
                                           "resnet152", "squeezenet1_1", "vgg11"),
                         [](const auto& parameter) { return parameter.param; });

/// Those whose gradients are so well conditioned that bf16's roundings leave them recognisable.
class WellConditioned : public Oracle {};

TEST_P(WellConditioned, gradients_in_bf16) {
    if (!kernels::onednn::has_bf16()) GTEST_SKIP() << "skipped: this processor has no bf16";
    auto network = training_network(Precision::bf16);
    network.train_step(my_images(), my_labels(), {}, {});
    expect_gradient_norms(network, 3 * bf16_margin);
}

INSTANTIATE_TEST_SUITE_P(Networks, WellConditioned,
                         ::testing::Values("alexnet", "convnext_tiny", "squeezenet1_1"),
                         [](const auto& parameter) { return parameter.param; });

TEST(ModelZoo, squeezenets_published_pairs) {
    NEEDS_SHARED("models/squeezenet1.1_nchw");
    const auto folder = testing::shared_data() / "models/squeezenet1.1_nchw";
    const auto imported =
        import_model(folder / "weights", {.arch = "squeezenet1_1", .grey = false});
    Network network(zoo::make("squeezenet1_1", {}), {.batch = 1}, world());
    network.load(imported.model.tensors);
    for (const auto* pair : {"0", "1", "2"}) {
        const auto image = store::read_npy<float>(folder / "test_data_set" / pair / "input_0.npy");
        const auto wanted =
            store::read_npy<float>(folder / "test_data_set" / pair / "output_0.npy");
        const auto found = network.forward(image.values);
        for (std::size_t i = 0; i < wanted.values.size(); ++i)
            ASSERT_NEAR(found[i], wanted.values[i], 3e-4) << pair << " class " << i;
    }
}

}  // namespace
}  // namespace nanoatlas::nn
