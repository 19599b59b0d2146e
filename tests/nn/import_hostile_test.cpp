// Damaged and forged weight files end in an InputError that names what is wrong: nothing is run,
// nothing large is allocated, nothing crashes.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cmath>
#include <filesystem>

#include "base/check.hpp"
#include "base/random.hpp"
#include "nn/import/onnx.hpp"
#include "nn/import/safetensors.hpp"
#include "nn/import/torch_file.hpp"
#include "nn/import/weights.hpp"
#include "tests/nn/weight_files.hpp"
#include "tests/temporary_folder.hpp"

namespace nanoatlas::nn {
namespace {

using namespace nanoatlas::testing;
using Read = TensorMap (*)(Bytes);

Bytes as_bytes(const std::string& text) {
    return std::as_bytes(std::span(text));
}

/// What the error says; empty if there is none.
std::string error_of(Read read, const std::string& file) {
    try {
        read(as_bytes(file));
        return "";
    } catch (const InputError& error) {
        return error.what();
    }
}

#define EXPECT_REFUSED(read, file, part)                          \
    EXPECT_NE(error_of(read, file).find(part), std::string::npos) \
        << "says: '" << error_of(read, file) << "', lacks: '" << (part) << "'"

std::string repeat(const std::string& text, int times) {
    std::string result;
    for (int i = 0; i < times; ++i) result += text;
    return result;
}

const std::vector<float> six = {1, 2, 3, 4, 5, 6};
const StoredTensor good{.name = "w", .sizes = {2, 3}, .strides = {3, 1}, .elements = 6};

std::string zip_of(const std::string& value) {
    return torch_zip(value, {{"0", raw(six)}});
}
std::string zip_of(const StoredTensor& tensor) {
    return zip_of(state_dict({tensor}));
}

TEST(HostilePickle, unknown_opcodes_are_named) {
    EXPECT_REFUSED(read_torch_zip, zip_of("(S'id'\niposix\nsystem\n"), "opcode 0x53 at byte 3");
    EXPECT_REFUSED(read_torch_zip, zip_of("\x82\x01"), "opcode 0x82 at byte 2");
}

TEST(HostilePickle, globals_outside_the_list_are_named) {
    using namespace pickle;
    EXPECT_REFUSED(read_torch_zip,
                   zip_of(call(global("os", "system"), tuple({text("touch /tmp/x")}))),
                   "'os system'");
    EXPECT_REFUSED(read_torch_zip, zip_of(text("builtins") + text("eval") + "\x93"),
                   "'builtins eval'");
    EXPECT_REFUSED(read_torch_zip, zip_of(global("torch.nn.modules.linear", "Linear")),
                   "'torch.nn.modules.linear Linear'");
    EXPECT_REFUSED(read_torch_legacy, torch_legacy(global("posix", "system"), {}),
                   "'posix system'");
    EXPECT_REFUSED(read_torch_zip, zip_of(global(std::string(500, 'x'), "y")), "no end within");
}

TEST(HostilePickle, malformed_programs_are_refused) {
    using namespace pickle;
    const auto dict_call = global("collections", "OrderedDict");
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"R", "empty stack"},
        {"t", "never begun"},
        {"](K\x01K\x02u", "no dict"},
        {"}(K\x01u", "key without a value"},
        {"}K\x01"
         "a",
         "no list"},
        {"h\x07", "never kept"},
        {"K\x01)R", "no function"},
        {dict_call + "K\x01R", "no function"},
        {call(dict_call, tuple({"](K\x01"
                                "e"})),
         "no pairs"},
        {"K\x01Q", "outside it"},
        {tuple({text("module"), dict_call, text("0"), text("cpu"), integer(1)}) + "Q",
         "outside it"},
        {tuple({text("storage"), dict_call, text("0"), text("cpu"), integer(1)}) + "Q",
         "plain numbers"},
        {storage("FloatStorage", "0", -1), "-1 elements"},
        {storage("FloatStorage", "0", 6) + storage("FloatStorage", "0", 7), "described twice"},
        {call(global("torch._utils", "_rebuild_tensor_v2"), tuple({integer(1)})),
         "lacks its storage"},
        {call(global("torch._utils", "_rebuild_parameter"), tuple({integer(1)})), "no tensor"},
        {"K\x01}b", "plain value"},
        {"\x80\x05", "protocol 5"},
        {"X\xff\xff\xff\xff"
         "abc",
         "announced"},
        {"\x8d" + little_endian(std::uint64_t{1} << 63, 8), "announced"},
        {"K\x01", "no dict of tensors"},
        {"}", "no dict of tensors"},
    };
    for (const auto& [value, part] : cases) EXPECT_REFUSED(read_torch_zip, zip_of(value), part);
}

TEST(HostilePickle, bombs_do_not_go_off) {
    using namespace pickle;
    const auto deep = ")" + repeat("\x85", 900'000);
    EXPECT_REFUSED(read_torch_zip, zip_of(deep), "no dict of tensors");
    EXPECT_REFUSED(read_torch_zip, zip_of(repeat("(", 3'000'000)), "more than");
    // Each line holds ten times the one before, by reference.
    std::string laughs = "]q" + little_endian(0, 1);
    for (int line = 1; line < 200; ++line)
        laughs += "](" + repeat("h" + little_endian(static_cast<std::uint64_t>(line - 1), 1), 10) +
                  "eq" + little_endian(static_cast<std::uint64_t>(line), 1);
    EXPECT_REFUSED(read_torch_zip, zip_of(laughs), "no dict of tensors");
    // A list of pairs, kept once and copied into a thousand dicts.
    const auto pairs = tuple({"](" + repeat(tuple({text("a"), text("b")}), 5000) + "e"}) + "q\x01";
    const auto copies = repeat(
        "h\x02"
        "h\x01R",
        1000);
    EXPECT_REFUSED(read_torch_zip,
                   zip_of(global("collections", "OrderedDict") + "q\x02" + pairs + copies),
                   "more than");
    const auto self_containing = std::string(
        "]q\x01h\x01"
        "a");
    EXPECT_REFUSED(read_torch_zip, zip_of(self_containing), "no dict of tensors");
}

TEST(HostileTensor, sizes_strides_and_offsets_stay_inside_the_storage) {
    const auto changed = [](auto change) {
        auto tensor = good;
        change(tensor);
        return zip_of(tensor);
    };
    using Tensor = StoredTensor;
    EXPECT_REFUSED(read_torch_zip, changed([](Tensor& t) { t.offset = 1; }), "outside its storage");
    EXPECT_REFUSED(read_torch_zip, changed([](Tensor& t) { t.offset = -1; }),
                   "outside its storage");
    EXPECT_REFUSED(read_torch_zip, changed([](Tensor& t) { t.offset = INT64_MAX; }),
                   "outside its storage");
    EXPECT_REFUSED(read_torch_zip, changed([](Tensor& t) {
                       t.strides = {4, 1};
                   }),
                   "outside its storage");
    EXPECT_REFUSED(read_torch_zip, changed([](Tensor& t) {
                       t.strides = {INT64_MAX, INT64_MAX};
                   }),
                   "outside its storage");
    EXPECT_REFUSED(read_torch_zip, changed([](Tensor& t) {
                       t.strides = {-3, 1};
                   }),
                   "outside its storage");
    EXPECT_REFUSED(read_torch_zip, changed([](Tensor& t) { t.strides = {1}; }),
                   "2 sizes but 1 strides");
    EXPECT_REFUSED(read_torch_zip, changed([](Tensor& t) {
                       t.sizes = {-2, 3};
                   }),
                   "dimension of -2");
    EXPECT_REFUSED(read_torch_zip, changed([](Tensor& t) {
                       t.sizes = {1LL << 40, 1LL << 40};
                   }),
                   "larger than any file");
    EXPECT_REFUSED(read_torch_zip, changed([](Tensor& t) {
                       t.sizes = {1LL << 32, 2}, t.strides = {0, 0};
                   }),
                   "more elements than the file can hold");
    EXPECT_REFUSED(read_torch_zip, changed([](Tensor& t) {
                       t.sizes = t.strides = std::vector<std::int64_t>(9, 1);
                   }),
                   "few whole numbers");
    EXPECT_REFUSED(read_torch_zip, changed([](Tensor& t) { t.elements = 1LL << 60; }),
                   "too few for its");
    EXPECT_REFUSED(read_torch_zip, changed([](Tensor& t) { t.key = "1"; }),
                   "no entry 'net/data/1'");
    EXPECT_REFUSED(read_torch_zip, changed([](Tensor& t) { t.key = "../../etc"; }), "no entry");
    EXPECT_REFUSED(read_torch_legacy, torch_legacy(state_dict({good}), {{"9", raw(six)}}),
                   "no tensor uses");
    EXPECT_REFUSED(read_torch_legacy, torch_legacy(state_dict({good}), {}), "is missing");
}

TEST(HostileZip, forged_directories_are_refused) {
    const auto value = pickle::program(state_dict({good}));
    const Entries entries = {{"n/data.pkl", value}, {"n/data/0", raw(six)}};
    const auto patched = [&](const std::string& mark, std::size_t offset,
                             const std::string& bytes) {
        auto file = zip(entries);
        return file.replace(file.rfind(mark) + offset, bytes.size(), bytes);
    };
    const std::string directory = "PK\x01\x02", end = "PK\x05\x06";
    EXPECT_REFUSED(read_torch_zip, patched(end, 16, little_endian(1 << 30, 4)), "outside");
    EXPECT_REFUSED(read_torch_zip, patched(end, 10, little_endian(9999, 2)),
                   "directory is damaged");
    EXPECT_REFUSED(read_torch_zip, patched(directory, 42, little_endian(1 << 30, 4)), "outside");
    EXPECT_REFUSED(read_torch_zip, patched(directory, 42, little_endian(3, 4)), "no header");
    EXPECT_REFUSED(read_torch_zip, patched(directory, 20, repeat(little_endian(1 << 30, 4), 2)),
                   "announced");
    EXPECT_REFUSED(read_torch_zip, patched(directory, 24, little_endian(1 << 30, 4)),
                   "is stored in");
    EXPECT_REFUSED(read_torch_zip, patched(directory, 8, little_endian(1, 2)), "encrypted");
    EXPECT_REFUSED(read_torch_zip, patched(directory, 10, little_endian(99, 2)), "method 99");
    EXPECT_REFUSED(read_torch_zip, patched(directory, 16, little_endian(7, 4)), "checksum");
    EXPECT_REFUSED(read_torch_zip, zip({{"n/data.pkl", value}, {"n/data.pkl", value}}),
                   "two entries");
    EXPECT_REFUSED(read_torch_zip, zip({{"n/readme", "x"}}), "without data.pkl");
    EXPECT_REFUSED(read_torch_zip, zip({{"n/data.pkl", value}, {"n/byteorder", "big"}}),
                   "big-endian");
}

TEST(HostileZip, deflated_entries_hold_what_they_claim) {
    const Entries entries = {{"n/data.pkl", pickle::program(state_dict({good}))},
                             {"n/data/0", raw(six)}};
    auto claims_more = zip(entries, {.deflate = true});
    claims_more.replace(claims_more.rfind("PK\x01\x02") + 24, 4, little_endian(1 << 31, 4));
    EXPECT_REFUSED(read_torch_zip, claims_more, "claims to hold");
    auto claims_less = zip(entries, {.deflate = true});
    claims_less.replace(claims_less.rfind("PK\x01\x02") + 24, 4, little_endian(23, 4));
    EXPECT_REFUSED(read_torch_zip, claims_less, "does not inflate");
}

TEST(HostileSafetensors, forged_headers_are_refused) {
    const auto of = [](const std::string& entry) {
        return safetensors(
            R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"w":)" + entry + "}",
            raw(six));
    };
    EXPECT_REFUSED(read_safetensors, little_endian(std::uint64_t{1} << 60, 8) + "{}", "announces");
    EXPECT_REFUSED(read_safetensors, little_endian(99, 8) + "{}", "truncated");
    EXPECT_REFUSED(read_safetensors, safetensors("{\"a\":", ""), "no JSON object");
    EXPECT_REFUSED(read_safetensors, safetensors("[]", ""), "no JSON object");
    EXPECT_REFUSED(read_safetensors, safetensors(repeat("{\"a\":", 100'000), ""), "nested");
    EXPECT_REFUSED(read_safetensors, of("1"), "'dtype'");
    EXPECT_REFUSED(read_safetensors, of(R"({"dtype":"F32"})"), "'shape'");
    EXPECT_REFUSED(read_safetensors, of(R"({"dtype":"Q4","shape":[1],"data_offsets":[0,4]})"),
                   "'Q4'");
    EXPECT_REFUSED(read_safetensors, of(R"({"dtype":"F32","shape":[-1],"data_offsets":[0,4]})"),
                   "no size");
    EXPECT_REFUSED(read_safetensors, of(R"({"dtype":"F32","shape":[2],"data_offsets":[0,4]})"),
                   "not 8");
    EXPECT_REFUSED(read_safetensors, of(R"({"dtype":"F32","shape":[1],"data_offsets":[4,0]})"),
                   "outside");
    EXPECT_REFUSED(read_safetensors, of(R"({"dtype":"F32","shape":[1],"data_offsets":[24,28]})"),
                   "outside");
    EXPECT_REFUSED(read_safetensors,
                   of(R"({"dtype":"F32","shape":[4611686018427387904,16],"data_offsets":[0,4]})"),
                   "larger than any file");
    std::string overlapping = R"({"a0":{"dtype":"U8","shape":[24],"data_offsets":[0,24]})";
    for (int i = 1; i < 9; ++i)
        overlapping +=
            ",\"a" + std::to_string(i) + R"(":{"dtype":"U8","shape":[24],"data_offsets":[0,24]})";
    EXPECT_REFUSED(read_safetensors, safetensors(overlapping + "}", raw(six)), "overlap");
}

TensorMap read_onnx_alone(Bytes bytes) {
    return read_onnx(bytes, "/nowhere");
}

TEST(HostileOnnx, forged_messages_are_refused) {
    using namespace protobuf;
    const auto of = [](const std::vector<std::int64_t>& dims, int type, const Text& numbers) {
        return onnx({onnx_tensor("w", dims, type, numbers)});
    };
    const auto all = bytes(9, raw(six));
    const auto outside = [&](const Text& location) {
        return of({6}, 1, bytes(13, bytes(1, "location") + bytes(2, location)) + number(14, 1));
    };
    const std::vector<std::pair<std::string, std::string>> cases = {
        {of({7}, 1, all), "has 24 bytes, not 28"},
        {of({6}, 1, ""), "has 0 bytes"},
        {of({-1}, 1, all), "dimension of -1"},
        {of({1LL << 40, 1LL << 40}, 1, all), "larger than any file"},
        {of({0, 1LL << 40, 1LL << 40}, 1, all), "larger than any file"},
        {of(std::vector<std::int64_t>(9, 1), 1, all), "more than 8 dimensions"},
        {of({6}, 8, all), "type 8"},
        {of({6}, 1, all + all), "in pieces"},
        {of({6}, 10, bytes(5, "\x01\x02")), "in pieces"},
        {onnx({onnx_tensor("w", {6}, 1, all), onnx_tensor("w", {6}, 1, all)}), "two tensors"},
        {number(1, 8) + "\x3a\x7f" + "abc", "announced"},
        {number(1, 8) + "\x3a" + Text(9, '\xff') + "\x01" + "abc", "announced"},
        {number(1, 8) + Text(11, '\xff'), "no end"},
        {number(1, 8) + "\x3b", "wire type 3"},
        {outside("/etc/passwd"), "without a path"},
        {outside("../w.data"), "without a path"},
        {outside(".."), "without a path"},
        {outside(""), "without a path"},
        {outside("w.data"), "no such file"},
    };
    for (const auto& [file, part] : cases) EXPECT_REFUSED(read_onnx_alone, file, part);
}

struct Specimen {
    Read read;
    std::string file;
};

std::vector<Specimen> specimens() {
    const auto value =
        state_dict({good, {.name = "b", .sizes = {2}, .strides = {3}, .offset = 1, .elements = 6}});
    const Entries storages = {{"0", raw(six)}};
    const auto halves = [](const std::string& type) {
        const auto tensor = StoredTensor{"h", {2, 2}, {1, 2}, 1, type, "0", 12};
        return pickle::dict({{"epoch", pickle::integer(3)}, {"state_dict", state_dict({tensor})}});
    };
    return {
        {read_torch_zip, torch_zip(value, storages)},
        {read_torch_zip, torch_zip(value, storages, {.deflate = true})},
        {read_torch_zip, torch_zip(value, storages, {.zip64 = true})},
        {read_torch_legacy, torch_legacy(value, storages)},
        {read_torch_zip, torch_zip(halves("HalfStorage"), storages)},
        {read_torch_legacy, torch_legacy(halves("BFloat16Storage"), storages, 2)},
        {read_safetensors,
         safetensors(R"({"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}})", raw(six))},
        {read_safetensors,
         safetensors(
             R"({"a":{"dtype":"BF16","shape":[4],"data_offsets":[0,8]},"b":{"dtype":"F16","shape":[4,2],"data_offsets":[8,24]}})",
             raw(six))},
        {read_onnx_alone, onnx({onnx_tensor("w", {2, 3}, 1, protobuf::bytes(9, raw(six))),
                                onnx_tensor("h", {4, 3}, 10, protobuf::bytes(9, raw(six)))})}};
}

TEST(Damage, files_cut_anywhere_are_refused) {
    for (const auto& specimen : specimens()) {
        // A message of protobuf may end between two fields: then nothing is left of the tensors.
        const bool may_be_empty = specimen.read == read_onnx_alone;
        for (std::size_t length = 0; length < specimen.file.size(); ++length) {
            const auto file = specimen.file.substr(0, length);
            const bool is_refused = !error_of(specimen.read, file).empty();
            EXPECT_TRUE(is_refused || (may_be_empty && specimen.read(as_bytes(file)).empty()))
                << length;
        }
    }
}

/// Any damage gives tensors or an InputError; and memory stays small.
TEST(Damage, random_damage_is_survived) {
    base::Random random(2026, 1);
    int refused = 0, total = 0;
    for (const auto& specimen : specimens())
        for (int round = 0; round < 20'000; ++round, ++total) {
            auto file = specimen.file;
            for (auto changes = 1 + random.below(4); changes-- > 0;)
                file[random.below(file.size())] =
                    static_cast<char>(random.chance(0.3) ? 0xff : random.below(256));
            if (random.chance(0.1)) file.resize(random.below(file.size()));
            refused += error_of(specimen.read, file).empty() ? 0 : 1;
        }
    EXPECT_GT(refused, total / 2);
    EXPECT_LT(refused, total);
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    EXPECT_LT(usage.ru_maxrss, 1'000'000) << "kB";
}

class ImportFile : public ::testing::Test {
  protected:
    std::string error(const std::string& path) const {
        try {
            read_weights(path);
            return "";
        } catch (const InputError& caught) {
            return caught.what();
        }
    }
    TemporaryFolder folder_;
};

TEST_F(ImportFile, errors_name_the_file_and_what_to_do) {
    const auto text = error(folder_.write("w.pth", "hello, this is no model"));
    EXPECT_NE(text.find("w.pth"), std::string::npos) << text;
    EXPECT_NE(text.find("give a .pth"), std::string::npos) << text;
    EXPECT_NE(error(folder_.write("zero.pth", "")).find("empty"), std::string::npos);
    EXPECT_NE(error(folder_ / "none.pth").find("no such file"), std::string::npos);
    const auto huge = folder_.write("huge.pth", "PK");  // a sparse file: no disk is used
    std::filesystem::resize_file(huge, std::uintmax_t{9} << 30);
    EXPECT_NE(error(huge).find("more than 8 GiB"), std::string::npos);
    std::filesystem::create_directories(folder_ / "bare");
    EXPECT_NE(error(folder_ / "bare").find("no .npy"), std::string::npos);
    const auto nan =
        torch_zip(state_dict({good}), {{"0", raw(std::vector<float>{1, 2, NAN, 4, 5, 6})}});
    EXPECT_NE(error(folder_.write("nan.pth", nan)).find("holds nan at element 2"),
              std::string::npos);
}

}  // namespace
}  // namespace nanoatlas::nn
