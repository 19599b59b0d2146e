// Weights come back from each kind of file as they were written.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "base/check.hpp"
#include "nn/import/weights.hpp"
#include "store/npy.hpp"
#include "tests/nn/weight_files.hpp"
#include "tests/temporary_folder.hpp"

namespace nanoatlas::nn {
namespace {

using namespace nanoatlas::testing;
using Values = std::vector<float>;
using Extents = std::vector<std::int64_t>;

class Import : public ::testing::Test {
  protected:
    TensorMap read(const std::string& bytes) const {
        return read_weights(folder_.write("w", bytes));
    }
    TemporaryFolder folder_;
};

const std::vector<float> six = {1, -2, 3.5F, 0, 1e-20F, 6};

StoredTensor matrix(const std::string& name) {
    return {.name = name, .sizes = {2, 3}, .strides = {3, 1}, .elements = 6};
}

TEST_F(Import, zip_and_legacy_files_hold_the_same) {
    const auto value = state_dict({matrix("conv.weight")});
    for (const auto& file : {torch_zip(value, {{"0", raw(six)}}),
                             torch_zip(value, {{"0", raw(six)}}, {.deflate = true}),
                             torch_zip(value, {{"0", raw(six)}}, {.zip64 = true}),
                             torch_legacy(value, {{"0", raw(six)}})}) {
        const auto tensors = read(file);
        ASSERT_EQ(tensors.size(), 1U);
        EXPECT_EQ(tensors.at("conv.weight").shape, (Extents{2, 3}));
        EXPECT_EQ(tensors.at("conv.weight").values, six);
    }
}

TEST_F(Import, every_number_format_becomes_f32) {
    struct Case {
        std::string type, bytes;
        Values expected;
    };
    const std::vector<Case> cases = {
        {"HalfStorage",
         raw(std::vector<std::uint16_t>{0x3c00, 0xc500, 0x0001, 0x7bff}),
         {1, -5, std::ldexp(1.0F, -24), 65504}},
        {"BFloat16Storage",
         raw(std::vector<std::uint16_t>{0x3f80, 0xc0a0, 0, 0x4049}),
         {1, -5, 0, 3.140625F}},
        {"DoubleStorage", raw(std::vector<double>{1, -5, 1e-3, 1e30}), {1, -5, 1e-3F, 1e30F}},
        {"LongStorage", raw(std::vector<std::int64_t>{1, -5, 1LL << 40, 0}), {1, -5, 0x1p40F, 0}},
        {"IntStorage", raw(std::vector<std::int32_t>{1, -5, 7, 0}), {1, -5, 7, 0}},
        {"ShortStorage", raw(std::vector<std::int16_t>{1, -5, 7, 0}), {1, -5, 7, 0}},
        {"CharStorage", raw(std::vector<std::int8_t>{1, -5, 7, 0}), {1, -5, 7, 0}},
        {"ByteStorage", raw(std::vector<std::uint8_t>{1, 250, 7, 0}), {1, 250, 7, 0}},
        {"BoolStorage", raw(std::vector<std::uint8_t>{1, 0, 1, 0}), {1, 0, 1, 0}},
    };
    for (const auto& c : cases) {
        const auto value = state_dict(
            {{.name = "t", .sizes = {4}, .strides = {1}, .type = c.type, .elements = 4}});
        EXPECT_EQ(read(torch_zip(value, {{"0", c.bytes}})).at("t").values, c.expected) << c.type;
    }
}

TEST_F(Import, views_are_resolved) {
    const auto value = state_dict({
        {.name = "transposed", .sizes = {3, 2}, .strides = {1, 3}, .elements = 6},
        {.name = "column", .sizes = {2}, .strides = {3}, .offset = 1, .elements = 6},
        {.name = "tail", .sizes = {2}, .strides = {1}, .offset = 4, .elements = 6},
        {.name = "scalar", .sizes = {}, .strides = {}, .offset = 2, .elements = 6},
        {.name = "empty", .sizes = {0, 3}, .strides = {3, 1}, .elements = 6},
    });
    const auto tensors = read(torch_zip(value, {{"0", raw(six)}}));
    EXPECT_EQ(tensors.at("transposed").values, (Values{1, 0, -2, 1e-20F, 3.5F, 6}));
    EXPECT_EQ(tensors.at("column").values, (Values{-2, 1e-20F}));
    EXPECT_EQ(tensors.at("tail").values, (Values{1e-20F, 6}));
    EXPECT_EQ(tensors.at("scalar").values, (Values{3.5F}));
    EXPECT_EQ(tensors.at("scalar").shape, Extents{});
    EXPECT_TRUE(tensors.at("empty").values.empty());
}

TEST_F(Import, weights_inside_a_training_checkpoint_are_found) {
    using namespace pickle;
    const auto parameter = call(global("torch._utils", "_rebuild_parameter"),
                                tuple({matrix("").pickled(), "\x88", "N"}));
    const auto metadata = dict({{"_metadata", "}"}});
    const auto weights = ordered_dict({{"module.fc.weight", matrix("").pickled()},
                                       {"module.fc.scale", parameter},
                                       {"module.bn.num_batches_tracked", matrix("").pickled()}});
    const auto options =
        call(global("argparse", "Namespace"), ")") + dict({{"lr", integer(1)}}) + 'b';
    for (const auto* key : {"state_dict", "model_state_dict", "model", "net", "anything"}) {
        const auto file = torch_zip(
            dict({{"epoch", integer(3)}, {"args", options}, {key, weights + metadata + 'b'}}),
            {{"0", raw(six)}});
        const auto tensors = read(file);
        ASSERT_EQ(tensors.size(), 2U) << key;
        EXPECT_EQ(tensors.at("fc.weight").values, six);
        EXPECT_EQ(tensors.at("fc.scale").values, six);
    }
}

TEST_F(Import, memo_and_frames_of_protocol_4_are_understood) {
    // A name built once, kept in the memo and used for two storages' classes, as pickle 4 writes
    // it.
    const auto short_text = [](const std::string& t) {
        return "\x8c" + little_endian(t.size(), 1) + t;
    };
    const auto rebuild =
        short_text("torch._utils") + "\x94" + short_text("_rebuild_tensor_v2") + "\x94\x93\x94";
    using namespace pickle;
    const auto arguments =
        tuple({storage("FloatStorage", "0", 6), "K\x01", "K\x02\x85", "K\x03\x85", "\x89", "N"});
    const auto program = "\x80\x04\x95" + little_endian(1, 8) + "}\x94(" + short_text("a") +
                         rebuild + arguments + "R" + short_text("b") + "h\x03" + arguments + "Ru.";
    const auto tensors = read(zip({{"x/data.pkl", program}, {"x/data/0", raw(six)}}));
    EXPECT_EQ(tensors.at("a").values, (Values{-2, 1e-20F}));
    EXPECT_EQ(tensors.at("b").values, tensors.at("a").values);
}

TEST_F(Import, safetensors) {
    const auto tensors = read(safetensors(
        R"({"__metadata__":{"format":"pt"},"a.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[4,28]},)"
        R"("half":{"dtype":"F16","shape":[1],"data_offsets":[0,2]},"brain":{"dtype":"BF16","shape":[],"data_offsets":[2,4]}})",
        raw(std::vector<std::uint16_t>{0x3c00, 0x3f80}) + raw(six)));
    ASSERT_EQ(tensors.size(), 3U);
    EXPECT_EQ(tensors.at("a.weight").values, six);
    EXPECT_EQ(tensors.at("a.weight").shape, (Extents{2, 3}));
    EXPECT_EQ(tensors.at("half").values, Values{1});
    EXPECT_EQ(tensors.at("brain").values, Values{1});
}

std::string raw_data(const std::string& bytes) {
    return protobuf::bytes(9, bytes);
}

TEST_F(Import, onnx_initialisers_of_every_format_become_f32) {
    const auto value = [](auto... bits) {
        return raw(std::vector<std::uint16_t>{static_cast<std::uint16_t>(bits)...});
    };
    const auto tensors = read(onnx({
        onnx_tensor("conv.weight", {2, 3}, 1, raw_data(raw(six))),
        onnx_tensor("listed", {6}, 1, protobuf::bytes(4, raw(six))),
        onnx_tensor("half", {2}, 10, raw_data(value(0x3c00, 0xc500))),
        onnx_tensor("brain", {2, 1}, 16, raw_data(value(0x3f80, 0xc0a0))),
        onnx_tensor("double", {}, 11, raw_data(raw(std::vector<double>{0.5}))),
        onnx_tensor("empty", {0, 3}, 1, ""),
        onnx_tensor("shape", {2}, 7, raw_data(raw(std::vector<std::int64_t>{-1, 512}))),
        protobuf::bytes(1, "\x02\x03") + onnx_tensor("packed", {}, 1, raw_data(raw(six))),
    }));
    ASSERT_EQ(tensors.size(), 7U) << "whole numbers are no weights";
    EXPECT_EQ(tensors.at("conv.weight").shape, (Extents{2, 3}));
    EXPECT_EQ(tensors.at("conv.weight").values, six);
    EXPECT_EQ(tensors.at("listed").values, six);
    EXPECT_EQ(tensors.at("half").values, (Values{1, -5}));
    EXPECT_EQ(tensors.at("brain").values, (Values{1, -5}));
    EXPECT_EQ(tensors.at("double").values, Values{0.5F});
    EXPECT_TRUE(tensors.at("empty").values.empty());
    EXPECT_EQ(tensors.at("packed").shape, (Extents{2, 3}));
}

/// As torch.onnx.export writes by default since PyTorch 2.9.
TEST_F(Import, onnx_numbers_in_a_file_beside_it_are_read) {
    const auto external = [](const std::string& name, const std::string& offset) {
        const auto entry = [](const std::string& key, const std::string& value) {
            return protobuf::bytes(13, protobuf::bytes(1, key) + protobuf::bytes(2, value));
        };
        return onnx_tensor(name, {3}, 1,
                           entry("location", "w.data") + entry("offset", offset) +
                               entry("length", "12") + protobuf::number(14, 1));
    };
    folder_.write("w.data", raw(six));
    const auto tensors = read(onnx({external("first", "0"), external("second", "12")}));
    EXPECT_EQ(tensors.at("first").values, (Values{1, -2, 3.5F}));
    EXPECT_EQ(tensors.at("second").values, (Values{0, 1e-20F, 6}));
}

TEST_F(Import, what_wrappers_add_to_names_is_dropped) {
    const auto value = state_dict({matrix("module._orig_mod.conv1.weight"),
                                   matrix("features.module.0.weight"), matrix("module_like")});
    const auto tensors = read(torch_zip(value, {{"0", raw(six)}}));
    EXPECT_EQ(tensors.size(), 3U);
    for (const auto* name : {"conv1.weight", "features.0.weight", "module_like"})
        EXPECT_TRUE(tensors.contains(name)) << name;
}

TEST_F(Import, folder_of_npy) {
    std::filesystem::create_directories(folder_ / "w");
    folder_.write("w/conv1.weight.npy", store::npy_header_bytes<float>({2, 3}) + raw(six));
    folder_.write("w/fc.bias.npy",
                  store::npy_header_bytes<double>({2}) + raw(std::vector<double>{0.5, 2}));
    folder_.write("w/README.md", "not a tensor");
    const auto tensors = read_weights(folder_ / "w");
    ASSERT_EQ(tensors.size(), 2U);
    EXPECT_EQ(tensors.at("conv1.weight").values, six);
    EXPECT_EQ(tensors.at("fc.bias").values, (Values{0.5F, 2}));
}

}  // namespace
}  // namespace nanoatlas::nn
