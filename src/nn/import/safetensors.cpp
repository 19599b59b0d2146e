#include "nn/import/safetensors.hpp"

#include <map>
#include <nlohmann/json.hpp>

#include "base/check.hpp"
#include "nn/import/element.hpp"

namespace nanoatlas::nn {

namespace {

using nlohmann::json;

constexpr std::uint64_t longest_header = 100'000'000;  ///< as the format's own reader
constexpr int deepest_header = 3;                      ///< the whole, a tensor, its shape

json read_header(ByteReader& reader) {
    const auto length = reader.u64();
    VALIDATE(length <= longest_header,
             "its header announces {} bytes (100 MB are the format's limit)", length);
    const auto text = as_text(reader.take(length));
    const auto limit_depth = [](int depth, json::parse_event_t, const json&) {
        VALIDATE(depth <= deepest_header, "its header is nested more than {} deep (forged)",
                 deepest_header);
        return true;
    };
    auto header = json::parse(text.begin(), text.end(), limit_depth, false);
    VALIDATE(header.is_object(), "its header is no JSON object (damaged, or not .safetensors)");
    return header;
}

Element element_of(const std::string& type, const std::string& name) {
    static const std::map<std::string, Element> elements = {
        {"F16", Element::f16},     {"BF16", Element::bf16}, {"F32", Element::f32},
        {"F64", Element::f64},     {"I8", Element::i8},     {"U8", Element::u8},
        {"I16", Element::i16},     {"I32", Element::i32},   {"I64", Element::i64},
        {"BOOL", Element::boolean}};
    const auto found = elements.find(type);
    VALIDATE(found != elements.end(), "tensor '{}' has numbers of type '{}', which is not read",
             printable(name), printable(type));
    return found->second;
}

/// Whole numbers from 0 to 2^62.
std::vector<std::int64_t> whole_numbers(const json& entry, const char* key,
                                        const std::string& name) {
    const auto list = entry.find(key);
    VALIDATE(list != entry.end() && list->is_array(), "tensor '{}' has no list '{}'",
             printable(name), key);
    std::vector<std::int64_t> values;
    for (const auto& item : *list) {
        VALIDATE(item.is_number_unsigned() && item.get<std::uint64_t>() <= std::uint64_t{1} << 62,
                 "'{}' of tensor '{}' holds what is no size (forged)", key, printable(name));
        values.push_back(item.get<std::int64_t>());
    }
    return values;
}

HostTensor read_tensor(const json& entry, const std::string& name, Bytes data) {
    VALIDATE(entry.is_object() && entry.contains("dtype") && entry["dtype"].is_string(),
             "tensor '{}' has no 'dtype'", printable(name));
    const auto element = element_of(entry["dtype"].get<std::string>(), name);
    HostTensor tensor{.shape = whole_numbers(entry, "shape", name), .values = {}};
    const auto count = count_elements(tensor.shape, name);
    const auto offsets = whole_numbers(entry, "data_offsets", name);
    VALIDATE(offsets.size() == 2 && offsets[0] <= offsets[1] &&
                 static_cast<std::uint64_t>(offsets[1]) <= data.size(),
             "tensor '{}' lies outside the file's {} bytes of data (truncated or forged)",
             printable(name), data.size());
    const auto first = static_cast<std::size_t>(offsets[0]),
               end = static_cast<std::size_t>(offsets[1]);
    VALIDATE(end - first == count * size_of(element),
             "tensor '{}' of shape {} has {} bytes, not {}", printable(name),
             shape_text(tensor.shape), end - first, count * size_of(element));
    tensor.values.resize(count);
    convert(data.subspan(first, end - first), element, tensor.values);
    return tensor;
}

}  // namespace

TensorMap read_safetensors(Bytes bytes) {
    ByteReader reader(bytes);
    const auto header = read_header(reader);
    const Bytes data = reader.take(reader.remaining());
    TensorMap tensors;
    std::size_t unclaimed = data.size();
    for (const auto& [name, entry] : header.items()) {
        if (name == "__metadata__") continue;
        auto tensor = read_tensor(entry, name, data);
        const auto claimed = tensor.values.size();  // at least a byte each
        VALIDATE(claimed <= unclaimed, "its tensors overlap (forged; tensor '{}' is one too many)",
                 printable(name));
        unclaimed -= claimed;
        tensors.emplace(name, std::move(tensor));
    }
    return tensors;
}

}  // namespace nanoatlas::nn
