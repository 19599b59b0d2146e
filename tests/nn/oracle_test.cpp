// The zoo's networks on the engine against torchvision in f64, and against the ONNX model zoo: the
// same weights and images, shared out over the ranks.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "comm/distribution.hpp"
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

constexpr std::int64_t side = 224;
constexpr std::int64_t image_elements = 3 * side * side;
/// How far from f64 we may be, in units of how far torch's own f32 run is.
constexpr double margin = 5;

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
        block_ = comm::row_block(samples_, world());
        images_ = testing::formula_values("input", samples_ * image_elements, 1, 0);
    }
    static std::filesystem::path folder() { return testing::shared_data() / "oracles/nn"; }
    std::span<const float> my_images() const { return rows(images_, block_, image_elements); }

    /// Rounding grows from step to step, and torch's own may be small by luck: as far as torch's
    /// f32 run is from f64 at any step up to the next one.
    double loss_tolerance(std::size_t step) const {
        const auto& exact = oracle_.at("losses_before_each_step_f64");
        const auto& torch_f32 = oracle_.at("losses_f32");
        double spread = 0;
        for (std::size_t s = 0; s < std::min(step + 2, exact.size()); ++s)
            spread =
                std::max(spread, std::abs(torch_f32[s].get<double>() - exact[s].get<double>()));
        return margin * spread + 1e-5 * exact[step].get<double>();
    }

    void expect_gradient_norms(Network& network) const {
        const auto expected =
            oracle_.at("grad_norms_first_step_f64").get<std::map<std::string, double>>();
        double largest = 0;
        for (const auto& [name, value] : expected) largest = std::max(largest, value);
        const double tolerance =
            margin * oracle_.at("grad_norm_f32_max_rel_error").get<double>() + 1e-5;
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
    std::int64_t samples_ = 0;
    comm::RowBlock block_;
    std::vector<float> images_;
};

TEST_P(Oracle, logits) {
    const auto graph = zoo::make(GetParam(), {});
    Network network(graph, {.batch = block_.count}, world());
    network.load(testing::formula_tensors(graph));
    const auto found = network.forward(my_images());
    const auto expected = store::read_npy<float>(folder() / (GetParam() + "_logits.npy"));
    const auto wanted = rows(expected.values, block_, 1000);
    ASSERT_EQ(found.size(), wanted.size());
    const double tolerance = margin * oracle_.at("logits_f32_max_abs_error").get<double>();
    double worst = 0;
    for (std::size_t i = 0; i < wanted.size(); ++i)
        worst = std::max<double>(worst, std::abs(found[i] - wanted[i]));
    EXPECT_LE(worst, tolerance);
    RecordProperty("worst_logit_error", std::to_string(worst));
}

TEST_P(Oracle, five_training_steps) {
    const auto graph = zoo::make(GetParam(), {.classes = 10, .dropout = false});
    Network network(graph, {.batch = block_.count, .training = true}, world());
    network.load(testing::formula_tensors(graph));
    const auto all_labels = oracle_.at("labels").get<std::vector<std::int32_t>>();
    const auto labels = std::span(all_labels)
                            .subspan(static_cast<std::size_t>(block_.first),
                                     static_cast<std::size_t>(block_.count));
    const auto exact = oracle_.at("losses_before_each_step_f64").get<std::vector<double>>();
    Sgd sgd(oracle_.at("optimizer"));
    for (std::size_t step = 0; step < exact.size(); ++step) {
        const auto result = network.train_step(my_images(), labels, {}, {});
        EXPECT_NEAR(result.loss, exact[step], loss_tolerance(step)) << "step " << step;
        if (step == 0) expect_gradient_norms(network);
        if (step + 1 < exact.size()) sgd.apply(network.parameters(), network.gradients());
    }
    expect_running_norms(network);
}

INSTANTIATE_TEST_SUITE_P(Networks, Oracle,
                         ::testing::Values("alexnet", "squeezenet1_1", "resnet18", "resnet34",
                                           "resnet50"),
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
