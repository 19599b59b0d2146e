// A model comes back as it was written, on every rank; what is no model is refused on all of them.
#include "nn/model_file.hpp"

#include <gtest/gtest.h>

#include "base/check.hpp"
#include "base/options.hpp"
#include "nn/import/import_model.hpp"
#include "nn/zoo/zoo.hpp"
#include "store/artefact.hpp"
#include "store/provenance.hpp"
#include "tests/mpi_test.hpp"
#include "tests/nn/formula.hpp"
#include "tests/temporary_folder.hpp"

namespace nanoatlas::nn {
namespace {

using testing::world;

ModelFile small_model() {
    return {.arch = "squeezenet1_1",
            .classes = {"Fibres", "Tips"},
            .mean = {0.45},
            .std = {0.226},
            .size = 96,
            .tensors = testing::formula_tensors(
                zoo::make("squeezenet1_1", {.classes = 2, .channels = 1, .size = 96}))};
}

store::Provenance provenance() {
    static const base::OptionTable table("test", "writes a model");
    return {table, world()};
}

TEST(ModelFile, comes_back_as_written) {
    const testing::TemporaryFolder folder;
    const auto written = small_model();
    write_model(folder / "model.h5", written, provenance(), world());
    const auto read = read_model(folder / "model.h5", world());
    EXPECT_EQ(read.arch, written.arch);
    EXPECT_EQ(read.classes, written.classes);
    EXPECT_EQ(read.mean, written.mean);
    EXPECT_EQ(read.std, written.std);
    EXPECT_EQ(read.size, written.size);
    ASSERT_EQ(read.tensors.size(), written.tensors.size());
    for (const auto& [name, tensor] : written.tensors) {
        EXPECT_EQ(read.tensors.at(name).shape, tensor.shape) << name;
        EXPECT_EQ(read.tensors.at(name).values, tensor.values) << name;
    }
}

TEST(ModelFile, keeps_temperature_and_threshold) {
    const testing::TemporaryFolder folder;
    auto model = small_model();
    write_model(folder / "model.h5", model, provenance(), world());
    EXPECT_EQ(read_model(folder / "model.h5", world()).temperature, 1);
    EXPECT_FALSE(read_model(folder / "model.h5", world()).threshold);
    model.temperature = 1.75;
    model.threshold = Threshold{.value = 0.625, .target = 0.95, .precision = 0.97, .coverage = 0.5};
    write_model(folder / "model.h5", model, provenance(), world());
    const auto read = read_model(folder / "model.h5", world());
    EXPECT_EQ(read.temperature, 1.75);
    ASSERT_TRUE(read.threshold);
    EXPECT_EQ(read.threshold->value, 0.625);
    EXPECT_EQ(read.threshold->target, 0.95);
    EXPECT_EQ(read.threshold->precision, 0.97);
    EXPECT_EQ(read.threshold->coverage, 0.5);
}

TEST(ModelFile, what_no_network_could_be_is_refused) {
    const testing::TemporaryFolder folder;
    const auto expect_refused = [&](auto change) {
        auto model = small_model();
        change(model);
        EXPECT_THROW(write_model(folder / "model.h5", model, provenance(), world()), InputError);
    };
    expect_refused([](ModelFile& m) { m.mean = {0.4, 0.4}; });
    expect_refused([](ModelFile& m) { m.std = {0}; });
    expect_refused([](ModelFile& m) { m.size = 0; });
    expect_refused([](ModelFile& m) { m.classes = {"a", "a"}; });
    expect_refused([](ModelFile& m) { m.classes.clear(); });
    expect_refused([](ModelFile& m) { m.classes.emplace_back("Powder"); });
    expect_refused([](ModelFile& m) { m.temperature = 0; });
    expect_refused([](ModelFile& m) { m.threshold = Threshold{.value = 1.5}; });
    EXPECT_THROW(read_model(folder / "none.h5", world()), InputError);
    {
        store::ArtefactWriter other(folder / "features.h5", "features", world());
        other.publish(provenance());
    }
    EXPECT_THROW(read_model(folder / "features.h5", world()), InputError);
}

TEST(DefaultModel, is_efficientnet_lite0_as_published) {
    if (!std::filesystem::exists(std::string(NANOATLAS_WEIGHTS) + "/efficientnet_lite0.pth"))
        GTEST_SKIP() << "skipped: the weights are absent";
    const auto model = default_model(world());
    EXPECT_EQ(model.arch, "efficientnet_lite0");
    EXPECT_EQ(model.channels(), 3);
    EXPECT_EQ(model.classes.size(), 1000U);
    EXPECT_EQ(model.tensors.at("_conv_stem.weight").shape,
              (std::vector<std::int64_t>{32, 3, 3, 3}));
}

}  // namespace
}  // namespace nanoatlas::nn
