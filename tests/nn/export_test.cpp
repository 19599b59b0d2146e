// Models become .safetensors that our own reader and others' read back to the bit.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "nn/export/export_model.hpp"
#include "nn/export/safetensors.hpp"
#include "nn/import/safetensors.hpp"
#include "nn/import/weights.hpp"
#include "nn/zoo/zoo.hpp"
#include "store/artefact.hpp"
#include "tests/command.hpp"
#include "tests/nn/formula.hpp"

namespace nanoatlas::nn {
namespace {

using namespace nanoatlas::testing;

ModelFile grey_model(const std::string& arch) {
    return {.arch = arch,
            .classes = {"Fibres", "\"quoted\"", "Pörös"},
            .mean = {0.5},
            .std = {0.25},
            .size = 96,
            .tensors = formula_tensors(zoo::make(arch, {.classes = 3, .channels = 1}))};
}

Bytes as_bytes(const std::string& text) {
    return std::as_bytes(std::span(text));
}

void expect_equal(const TensorMap& found, const TensorMap& expected) {
    EXPECT_EQ(found.size(), expected.size());
    for (const auto& [name, tensor] : expected) {
        ASSERT_TRUE(found.contains(name)) << name;
        EXPECT_EQ(found.at(name).shape, tensor.shape) << name;
        EXPECT_EQ(found.at(name).values, tensor.values) << name;
    }
}

TEST(Export, tensors_come_back_to_the_bit) {
    const auto model = grey_model("resnet18");
    expect_equal(read_safetensors(as_bytes(export_model(model, "{}"))), model.tensors);
    const TensorMap odd = {
        {"empty", {{0, 3}, {}}}, {"scalar", {{}, {-0.0F}}}, {"a\nb", {{1}, {7}}}};
    expect_equal(read_safetensors(as_bytes(safetensors_bytes(odd, {}))), odd);
    expect_equal(read_safetensors(as_bytes(safetensors_bytes({}, {}))), {});
}

TEST(Export, metadata_say_how_to_use_the_network) {
    const auto file = export_model(grey_model("squeezenet1_1"), R"({"job":"train"})");
    std::uint64_t length = 0;
    std::memcpy(&length, file.data(), sizeof length);
    EXPECT_EQ(length % 8, 0U) << "the numbers are to be aligned";
    const auto metadata = nlohmann::json::parse(file.substr(8, length)).at("__metadata__");
    for (const auto& entry : metadata) EXPECT_TRUE(entry.is_string()) << entry;
    const auto parsed = [&](const char* key) {
        return nlohmann::json::parse(metadata.at(key).get<std::string>());
    };
    EXPECT_EQ(metadata.at("format"), "pt");
    EXPECT_EQ(metadata.at("arch"), "squeezenet1_1");
    EXPECT_EQ(parsed("classes"), (nlohmann::json{"Fibres", "\"quoted\"", "Pörös"}));
    EXPECT_EQ(parsed("mean"), nlohmann::json::array({0.5}));
    EXPECT_EQ(parsed("std"), nlohmann::json::array({0.25}));
    EXPECT_EQ(parsed("size"), 96);
    EXPECT_EQ(parsed("provenance").at("job"), "train");
}

TEST(Export, three_equal_channels_give_what_the_grey_one_gave) {
    for (const std::string arch : {"resnet18", "efficientnet_lite0"}) {
        const auto grey = grey_model(arch);
        auto colour = grey;
        spread_to_colour(colour);
        EXPECT_EQ(colour.mean, std::vector<double>(3, 0.5));
        EXPECT_EQ(colour.std, std::vector<double>(3, 0.25));
        const auto stem = zoo::ends(arch).stem + ".weight";
        const auto &narrow = grey.tensors.at(stem), &wide = colour.tensors.at(stem);
        auto expected_shape = narrow.shape;
        expected_shape[1] = 3;
        ASSERT_EQ(wide.shape, expected_shape);
        ASSERT_EQ(wide.values.size(), 3 * narrow.values.size());
        const auto kernel = static_cast<std::size_t>(narrow.shape[2] * narrow.shape[3]);
        for (std::size_t i = 0; i < narrow.values.size(); ++i) {
            float sum = 0;
            for (std::size_t c = 0; c < 3; ++c)
                sum += wide.values[(i / kernel * 3 + c) * kernel + i % kernel];
            ASSERT_NEAR(sum, narrow.values[i], 3e-7 * std::abs(narrow.values[i]));
        }
        auto again = colour;
        spread_to_colour(again);
        expect_equal(again.tensors, colour.tensors);
    }
}

class ExportJob : public ::testing::Test {
  protected:
    /// A model.h5 made of formula weights; returns its path.
    std::string import(const std::string& options) const {
        const auto weights = folder_ / "in.safetensors", model = folder_ / "model.h5";
        std::ofstream(weights, std::ios::binary)
            << safetensors_bytes(formula_tensors(zoo::make("squeezenet1_1", {.classes = 3})), {});
        const auto result = run_nanoatlas("import-model --arch squeezenet1_1 --from " + weights +
                                          " --output " + model + " " + options);
        EXPECT_EQ(result.status, 0) << result.output;
        return model;
    }
    CommandResult run_export(const std::string& model, const std::string& output, int ranks = 1,
                             const std::string& options = "") const {
        return run_nanoatlas(
            "export-model --model " + model + " --output " + output + " " + options, ranks);
    }
    ScratchFolder folder_;
};

TEST_F(ExportJob, what_was_imported_is_exported_on_any_number_of_ranks) {
    const auto model = import("--grey off");
    const auto expected = formula_tensors(zoo::make("squeezenet1_1", {.classes = 3}));
    for (const int ranks : {1, 3}) {
        const auto output = folder_ / "out.safetensors";
        const auto result = run_export(model, output, ranks);
        ASSERT_EQ(result.status, 0) << result.output;
        EXPECT_NE(result.output.find("52 tensors"), std::string::npos) << result.output;
        expect_equal(read_weights(output), expected);
    }
}

TEST_F(ExportJob, grey_becomes_colour_unless_told_otherwise) {
    const auto model = import("--grey on"), output = folder_ / "out.safetensors";
    ASSERT_EQ(run_export(model, output).status, 0);
    EXPECT_EQ(read_weights(output).at("features.0.weight").shape[1], 3);
    ASSERT_EQ(run_export(model, output, 1, "--colour off").status, 0);
    EXPECT_EQ(read_weights(output).at("features.0.weight").shape[1], 1);
}

TEST_F(ExportJob, mistakes_end_with_status_2) {
    const auto model = import("");
    for (const auto& [given, output, part] : std::vector<std::array<std::string, 3>>{
             {model, folder_ / "out.pth", "only .safetensors"},
             {model, folder_ / "none/out.safetensors", "no folder"},
             {folder_ / "none.h5", folder_ / "out.safetensors", "none.h5"},
             {folder_ / "in.safetensors", folder_ / "out.safetensors", "in.safetensors"}}) {
        const auto result = run_export(given, output, 2);
        EXPECT_EQ(result.status, 2) << result.output;
        EXPECT_NE(result.output.find(part), std::string::npos) << result.output;
        EXPECT_FALSE(std::filesystem::exists(output));
    }
}

/// The safetensors package of PyPI, which PyTorch's users read with, against h5py.
TEST_F(ExportJob, the_safetensors_package_reads_it) {
    const std::string python = "PYTHONPATH=" NANOATLAS_DEPENDENCIES "/python /usr/bin/python3 ";
    if (run_command(python + "-c 'import h5py, safetensors.numpy'").status != 0)
        GTEST_SKIP() << "skipped: no safetensors package (jobs/setup.sh --tests fetches it)";
    const auto model = import("--grey off"), output = folder_ / "out.safetensors";
    ASSERT_EQ(run_export(model, output).status, 0);
    std::ofstream(folder_ / "read.py")
        << "import h5py, json, numpy, sys\n"
           "from safetensors import safe_open\n"
           "model = h5py.File(sys.argv[1])['tensors']\n"
           "with safe_open(sys.argv[2], framework='numpy') as f:\n"
           "    assert sorted(f.keys()) == sorted(model), sorted(f.keys())\n"
           "    for name in f.keys():\n"
           "        numpy.testing.assert_array_equal(f.get_tensor(name), model[name][()], name)\n"
           "    m = f.metadata()\n"
           "    assert m['format'] == 'pt' and m['arch'] == 'squeezenet1_1' and m['size'] == "
           "'224'\n"
           "    assert json.loads(m['classes']) == ['class_0', 'class_1', 'class_2']\n"
           "    assert json.loads(m['mean']) == [0.485, 0.456, 0.406]\n"
           "    assert json.loads(m['provenance'])['job'] == 'export-model'\n"
           "print('all as promised')\n";
    const auto result = run_command(python + (folder_ / "read.py") + " " + model + " " + output);
    EXPECT_NE(result.output.find("all as promised"), std::string::npos) << result.output;
}

}  // namespace
}  // namespace nanoatlas::nn
