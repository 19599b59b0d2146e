// Writes small weight files of each kind, also wrong ones: what the import's tests read.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace nanoatlas::testing {

inline std::string little_endian(std::uint64_t value, int bytes) {
    std::string text;
    for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i) & 255);
    return text;
}

template <class T>
std::string raw(const std::vector<T>& values) {
    std::string bytes(values.size() * sizeof(T), '\0');
    if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
    return bytes;
}

/// Pieces of a pickle; a value's bytes push it onto the stack.
namespace pickle {
using Text = std::string;

inline Text text(const Text& value) {
    return 'X' + little_endian(value.size(), 4) + value;
}
inline Text integer(std::int64_t value) {
    return "\x8a\x08" + little_endian(static_cast<std::uint64_t>(value), 8);
}
inline Text global(const Text& module, const Text& name) {
    return 'c' + module + '\n' + name + '\n';
}
inline Text tuple(const std::vector<Text>& items) {
    Text bytes = "(";
    for (const auto& item : items) bytes += item;
    return bytes + 't';
}
inline Text integers(const std::vector<std::int64_t>& values) {
    std::vector<Text> items;
    for (const auto value : values) items.push_back(integer(value));
    return tuple(items);
}
inline Text call(const Text& function, const Text& arguments) {
    return function + arguments + 'R';
}
inline Text dict(const std::vector<std::pair<Text, Text>>& items) {
    Text bytes = "}(";
    for (const auto& [key, value] : items) bytes += text(key) + value;
    return bytes + 'u';
}
inline Text ordered_dict(const std::vector<std::pair<Text, Text>>& items) {
    return call(global("collections", "OrderedDict"), ")") + dict(items).substr(1);
}
inline Text program(const Text& value) {
    return "\x80\x02" + value + '.';
}
inline Text storage(const Text& type, const Text& key, std::int64_t elements) {
    return tuple({text("storage"), global("torch", type), text(key), text("cpu"),
                  integer(elements)}) +
           'Q';
}
}  // namespace pickle

struct StoredTensor {
    std::string name;
    std::vector<std::int64_t> sizes, strides;
    std::int64_t offset = 0;
    std::string type = "FloatStorage", key = "0";
    std::int64_t elements = 0;  ///< of the storage

    std::string pickled() const {
        using namespace pickle;
        return call(
            global("torch._utils", "_rebuild_tensor_v2"),
            tuple({storage(type, key, elements), integer(offset), integers(sizes),
                   integers(strides), "\x89", call(global("collections", "OrderedDict"), ")")}));
    }
};

inline std::string state_dict(const std::vector<StoredTensor>& tensors) {
    std::vector<std::pair<std::string, std::string>> items;
    for (const auto& tensor : tensors) items.emplace_back(tensor.name, tensor.pickled());
    return pickle::ordered_dict(items);
}

struct ZipOptions {
    bool deflate = false;
    bool zip64 = false;  ///< sizes, offsets and the number of entries in 64 bits
};
using Entries = std::vector<std::pair<std::string, std::string>>;

inline std::string deflated(const std::string& content) {
    z_stream stream{};
    deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
    std::string packed(deflateBound(&stream, content.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
    stream.avail_in = static_cast<uInt>(content.size());
    stream.next_out = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_out = static_cast<uInt>(packed.size());
    deflate(&stream, Z_FINISH);
    packed.resize(stream.total_out);
    deflateEnd(&stream);
    return packed;
}

inline std::string zip(const Entries& entries, const ZipOptions& options = {}) {
    const auto n = [](std::uint64_t value, int bytes) { return little_endian(value, bytes); };
    std::string file, directory;
    for (const auto& [name, content] : entries) {
        const auto packed = options.deflate ? deflated(content) : content;
        const auto crc = crc32(0, reinterpret_cast<const Bytef*>(content.data()),
                               static_cast<uInt>(content.size()));
        const auto description = n(0, 2) + n(options.deflate ? 8 : 0, 2) + n(0, 4) + n(crc, 4);
        const auto extra = options.zip64 ? n(1, 2) + n(24, 2) + n(content.size(), 8) +
                                               n(packed.size(), 8) + n(file.size(), 8)
                                         : "";
        const auto field = [&](std::size_t value) {
            return n(options.zip64 ? 0xffffffff : value, 4);
        };
        directory += n(0x02014b50, 4) + n(0, 2) + n(45, 2) + description + field(packed.size()) +
                     field(content.size()) + n(name.size(), 2) + n(extra.size(), 2) + n(0, 2) +
                     n(0, 8) + field(file.size()) + name + extra;
        file += n(0x04034b50, 4) + n(45, 2) + description + n(packed.size(), 4) +
                n(content.size(), 4) + n(name.size(), 2) + n(0, 2) + name + packed;
    }
    const auto start = file.size();
    file += directory;
    if (options.zip64) {
        const auto end64 = file.size();
        file += n(0x06064b50, 4) + n(44, 8) + n(45, 2) + n(45, 2) + n(0, 8) + n(entries.size(), 8) +
                n(entries.size(), 8) + n(directory.size(), 8) + n(start, 8);
        file += n(0x07064b50, 4) + n(0, 4) + n(end64, 8) + n(1, 4);
    }
    const auto count = options.zip64 ? 0xffff : entries.size();
    return file + n(0x06054b50, 4) + n(0, 4) + n(count, 2) + n(count, 2) + n(directory.size(), 4) +
           n(options.zip64 ? 0xffffffff : start, 4) + n(0, 2);
}

/// As torch.save writes it: `value` pickled, storages by key.
inline std::string torch_zip(const std::string& value, const Entries& storages,
                             const ZipOptions& options = {}) {
    Entries entries = {{"net/data.pkl", pickle::program(value)}, {"net/byteorder", "little"}};
    for (const auto& [key, bytes] : storages) entries.emplace_back("net/data/" + key, bytes);
    return zip(entries, options);
}

/// element_size: bytes of an element, by storage
inline std::string torch_legacy(const std::string& value, const Entries& storages,
                                int element_size = 4) {
    using namespace pickle;
    const std::string magic = std::string("\x8a\x0a") + "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
    auto file = program(magic) + program(integer(1001)) +
                program(dict({{"protocol_version", integer(1001)}, {"little_endian", "\x88"}})) +
                program(value);
    std::string keys = "](";
    for (const auto& [key, bytes] : storages) keys += text(key);
    file += program(keys + 'e');
    for (const auto& [key, bytes] : storages)
        file += little_endian(bytes.size() / static_cast<std::size_t>(element_size), 8) + bytes;
    return file;
}

inline std::string safetensors(const std::string& header, const std::string& data) {
    return little_endian(header.size(), 8) + header + data;
}

/// Pieces of a protobuf message.
namespace protobuf {
using Text = std::string;

inline Text varint(std::uint64_t value) {
    Text bytes;
    for (; value > 127; value >>= 7) bytes += static_cast<char>((value & 127) | 128);
    return bytes + static_cast<char>(value);
}
inline Text number(std::uint64_t field, std::uint64_t value) {
    return varint(field << 3) + varint(value);
}
inline Text bytes(std::uint64_t field, const Text& content) {
    return varint(field << 3 | 2) + varint(content.size()) + content;
}
}  // namespace protobuf

/// A TensorProto; numbers: its field of numbers (9: raw, 4: floats), or what else is to stand there
inline std::string onnx_tensor(const std::string& name, const std::vector<std::int64_t>& dims,
                               int data_type, const std::string& numbers) {
    std::string message;
    for (const auto extent : dims)
        message += protobuf::number(1, static_cast<std::uint64_t>(extent));
    return message + protobuf::number(2, static_cast<std::uint64_t>(data_type)) +
           protobuf::bytes(8, name) + numbers;
}

/// A ModelProto of which only the graph's initialisers matter.
inline std::string onnx(const std::vector<std::string>& tensors) {
    std::string graph = protobuf::bytes(2, "graph");
    for (const auto& tensor : tensors) graph += protobuf::bytes(5, tensor);
    return protobuf::number(1, 8) + protobuf::bytes(2, "test") + protobuf::bytes(7, graph);
}

}  // namespace nanoatlas::testing
