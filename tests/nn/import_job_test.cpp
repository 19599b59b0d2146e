// nanoatlas import-model as a user runs it.
#include <gtest/gtest.h>

#include <fstream>

#include "nn/zoo/zoo.hpp"
#include "store/artefact.hpp"
#include "tests/command.hpp"
#include "tests/nn/formula.hpp"
#include "tests/nn/weight_files.hpp"

namespace nanoatlas::nn {
namespace {

using namespace nanoatlas::testing;

std::string safetensors_of(const TensorMap& tensors) {
    std::string header = "{", data;
    for (const auto& [name, tensor] : tensors) {
        header += (header.size() > 1 ? ",\"" : "\"") + name + R"(":{"dtype":"F32","shape":[)";
        for (std::size_t d = 0; d < tensor.shape.size(); ++d)
            header += (d > 0 ? "," : "") + std::to_string(tensor.shape[d]);
        header += "],\"data_offsets\":[" + std::to_string(data.size());
        data += raw(tensor.values);
        header += "," + std::to_string(data.size()) + "]}";
    }
    return safetensors(header + "}", data);
}

class ImportJob : public ::testing::Test {
  protected:
    std::string write(const std::string& name, const std::string& bytes) const {
        std::ofstream(folder_ / name, std::ios::binary) << bytes;
        return folder_ / name;
    }
    CommandResult import(const std::string& from, const std::string& more, int ranks = 1) const {
        return run_nanoatlas("import-model --arch squeezenet1_1 --from " + from + " --output " +
                                 (folder_ / "model.h5") + " " + more,
                             ranks);
    }
    ScratchFolder folder_;
    const TensorMap tensors_ = formula_tensors(zoo::make("squeezenet1_1", {.classes = 3}));
    const std::string weights_ = write("w.safetensors", safetensors_of(tensors_));
};

void expect_mentions(const CommandResult& result, int status,
                     const std::vector<std::string>& parts) {
    EXPECT_EQ(result.status, status) << result.output;
    for (const auto& part : parts)
        EXPECT_NE(result.output.find(part), std::string::npos) << "lacks " << part << ":\n"
                                                               << result.output;
}

TEST_F(ImportJob, writes_a_model_with_the_weights) {
    for (const int ranks : {1, 3}) {
        expect_mentions(import(weights_, "--grey off", ranks), 0,
                        {"features.12.expand3x3.weight", "256x64x3x3", "52 tensors"});
        const store::ArtefactReader model(folder_ / "model.h5", "model");
        EXPECT_EQ(model.text("arch"), "squeezenet1_1");
        EXPECT_EQ(model.texts("classes").size(), 3U);
        EXPECT_EQ(model.numbers("mean").size(), 3U);
        for (const auto& [name, tensor] : tensors_)
            EXPECT_EQ(model.read<float>("tensors/" + name), tensor.values) << name;
    }
}

TEST_F(ImportJob, folds_to_grey_unless_told_otherwise) {
    expect_mentions(import(weights_, ""), 0, {"grey input of 224x224"});
    const store::ArtefactReader model(folder_ / "model.h5", "model");
    EXPECT_EQ(model.shape("tensors/features.0.weight"), (store::Shape{64, 1, 3, 3}));
    EXPECT_EQ(model.numbers("std").size(), 1U);
}

TEST_F(ImportJob, other_classes_get_a_new_classifier_and_it_is_said) {
    const auto classes = write("classes.txt", "Fibres\nTips\n\nPowder\r\nParticles\n");
    expect_mentions(import(weights_, "--classes " + classes), 0,
                    {"drawn anew", "classifier.1.weight", "4 classes"});
    const store::ArtefactReader model(folder_ / "model.h5", "model");
    EXPECT_EQ(model.texts("classes"),
              (std::vector<std::string>{"Fibres", "Tips", "Powder", "Particles"}));
}

TEST_F(ImportJob, mistakes_end_with_status_2_on_any_number_of_ranks) {
    auto fewer = tensors_;
    fewer.erase("features.7.squeeze.bias");
    const auto incomplete = write("fewer.safetensors", safetensors_of(fewer));
    const auto hostile =
        write("evil.pth", torch_zip(pickle::call(pickle::global("os", "system"), ")"), {}));
    const auto twice = write("twice.txt", "a\na\nb\n");
    for (const int ranks : {1, 2})
        expect_mentions(import(hostile, "", ranks), 2, {"evil.pth", "'os system'"});
    expect_mentions(import(weights_, "--classes " + twice, 2), 2, {"two of its classes"});
    expect_mentions(import(incomplete, ""), 2, {"features.7.squeeze.bias", "--partial"});
    expect_mentions(import(folder_ / "none.pth", ""), 2, {"none.pth"});
    expect_mentions(run_nanoatlas("import-model --arch vgg99 --from a --output b"), 2, {"vgg99"});
    expect_mentions(import(weights_, "--mean 0.5 x 0.5"), 2, {"not a number"});
    expect_mentions(import(weights_, "--mean 0.5 0.5"), 2, {"--mean"});
    EXPECT_FALSE(std::filesystem::exists(folder_ / "model.h5"));
}

}  // namespace
}  // namespace nanoatlas::nn
