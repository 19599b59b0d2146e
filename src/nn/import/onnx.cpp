#include "nn/import/onnx.hpp"

#include <map>
#include <optional>

#include "base/check.hpp"
#include "base/number.hpp"
#include "nn/import/element.hpp"
#include "nn/import/protobuf.hpp"

namespace nanoatlas::nn {

namespace {

using Kind = ProtobufField::Kind;

constexpr std::size_t most_tensors = 100'000;

/// Field numbers of onnx.proto.
namespace model {
constexpr std::uint64_t graph = 7;
}
namespace graph {
constexpr std::uint64_t initializer = 5;
}
namespace tensor {
constexpr std::uint64_t dims = 1, data_type = 2, segment = 3, float_data = 4, int32_data = 5,
                        name = 8, raw_data = 9, double_data = 10, external_data = 13,
                        data_location = 14;
}
namespace entry {
constexpr std::uint64_t key = 1, value = 2;
}

/// A TensorProto as far as weights need it.
struct StoredTensor {
    std::string name;
    std::vector<std::int64_t> dims;
    std::uint64_t data_type = 0;
    Bytes numbers;             ///< little-endian
    bool is_in_parts = false;  ///< in a way that is not read
    bool is_external = false;
    std::map<std::string, std::string> external;  ///< "location", "offset", "length"
};

void read_dims(const ProtobufField& field, StoredTensor& stored) {
    const auto append = [&](std::uint64_t extent) {
        VALIDATE(stored.dims.size() < 8, "tensor '{}' has more than 8 dimensions",
                 printable(stored.name));
        stored.dims.push_back(static_cast<std::int64_t>(extent));
    };
    if (field.kind == Kind::number) return append(field.value);
    for (ProtobufReader packed(field.content); !packed.is_at_end();) append(packed.varint());
}

void read_external(Bytes message, StoredTensor& stored) {
    std::string key, value;
    ProtobufReader reader(message);
    while (const auto field = reader.next()) {
        if (field->number == entry::key) key = as_text(field->content);
        if (field->number == entry::value) value = as_text(field->content);
    }
    stored.external[key] = value;
}

StoredTensor read_stored(Bytes message) {
    StoredTensor stored;
    ProtobufReader reader(message);
    while (const auto field = reader.next()) {
        switch (field->number) {
            case tensor::dims:
                read_dims(*field, stored);
                break;
            case tensor::data_type:
                stored.data_type = field->value;
                break;
            case tensor::name:
                stored.name = as_text(field->content);
                break;
            case tensor::float_data:
            case tensor::double_data:
            case tensor::raw_data:
                stored.is_in_parts |= field->kind != Kind::bytes || !stored.numbers.empty();
                stored.numbers = field->content;
                break;
            case tensor::segment:
            case tensor::int32_data:
                stored.is_in_parts = true;
                break;
            case tensor::external_data:
                read_external(field->content, stored);
                break;
            case tensor::data_location:
                stored.is_external = field->value == 1;
                break;
            default:
                break;
        }
    }
    return stored;
}

/// None if the numbers are whole, and so no weights.
std::optional<Element> element_of(const StoredTensor& stored) {
    switch (stored.data_type) {
        case 1:
            return Element::f32;
        case 10:
            return Element::f16;
        case 11:
            return Element::f64;
        case 16:
            return Element::bf16;
        case 2:   // u8
        case 3:   // i8
        case 4:   // u16
        case 5:   // i16
        case 6:   // i32
        case 7:   // i64
        case 9:   // boolean
        case 12:  // u32
        case 13:  // u64
            return std::nullopt;
        default:
            throw InputError(
                fmt::format("tensor '{}' has numbers of ONNX's type {}, which is not read",
                            printable(stored.name), stored.data_type));
    }
}

/// The files beside a model that hold its numbers, each read once.
class ExternalFiles {
  public:
    explicit ExternalFiles(std::filesystem::path folder) : folder_(std::move(folder)) {}

    /// A part that no other tensor has, by and large: all parts together are no larger than twice
    /// their files.
    Bytes part(const StoredTensor& stored, std::uint64_t size) {
        const auto text = [&](const char* key) {
            const auto found = stored.external.find(key);
            return found == stored.external.end() ? std::string() : found->second;
        };
        auto& file = open(text("location"), stored.name);
        const auto start = text("offset");
        const auto offset = base::parse_number<std::uint64_t>(start.empty() ? "0" : start);
        VALIDATE(offset && *offset <= file.bytes.size() && size <= file.bytes.size() - *offset,
                 "tensor '{}' lies outside the {} bytes of '{}' (truncated or forged)",
                 printable(stored.name), file.bytes.size(), printable(text("location")));
        VALIDATE(size <= file.left, "the tensors in '{}' overlap (forged)",
                 printable(text("location")));
        file.left -= size;
        return Bytes(file.bytes)
            .subspan(static_cast<std::size_t>(*offset), static_cast<std::size_t>(size));
    }

  private:
    struct File {
        std::vector<std::byte> bytes;
        std::uint64_t left;
    };

    File& open(const std::string& location, const std::string& tensor) {
        if (const auto known = files_.find(location); known != files_.end()) return known->second;
        const std::filesystem::path path(location);
        VALIDATE(!location.empty() && path.filename() == path && location != ".." &&
                     location.find('\0') == std::string::npos,
                 "tensor '{}' lies in the file '{}' (only names without a path are followed)",
                 printable(tensor), printable(location));
        try {
            auto bytes = read_bytes((folder_ / path).string());
            const auto size = bytes.size();
            return files_.emplace(location, File{std::move(bytes), 2 * size}).first->second;
        } catch (const InputError& error) {
            throw InputError(fmt::format("tensor '{}' lies in '{}' beside it: {}",
                                         printable(tensor), printable(location), error.what()));
        }
    }

    std::filesystem::path folder_;
    std::map<std::string, File> files_;
};

HostTensor to_tensor(const StoredTensor& stored, Element element, ExternalFiles& files) {
    const auto count = count_elements(stored.dims, stored.name);
    const auto size = count * size_of(element);
    VALIDATE(!stored.is_in_parts, "tensor '{}' is stored in pieces (export it as raw data)",
             printable(stored.name));
    const auto numbers = stored.is_external ? files.part(stored, size) : stored.numbers;
    VALIDATE(numbers.size() == size, "tensor '{}' of shape {} has {} bytes, not {}",
             printable(stored.name), shape_text(stored.dims), numbers.size(), size);
    HostTensor tensor{.shape = stored.dims, .values = std::vector<float>(count)};
    convert(numbers, element, tensor.values);
    return tensor;
}

}  // namespace

bool is_onnx(Bytes bytes) {
    return bytes.size() >= 2 && bytes[0] == std::byte{0x08};  // ir_version, its first field
}

TensorMap read_onnx(Bytes bytes, const std::filesystem::path& folder) {
    ExternalFiles files(folder);
    TensorMap tensors;
    ProtobufReader model(bytes);
    while (const auto part = model.next()) {
        if (part->number != model::graph) continue;
        ProtobufReader graph(part->content);
        while (const auto field = graph.next()) {
            if (field->number != graph::initializer) continue;
            const auto stored = read_stored(field->content);
            const auto element = element_of(stored);
            if (!element) continue;
            VALIDATE(tensors.size() < most_tensors, "it holds more than {} tensors", most_tensors);
            VALIDATE(tensors.try_emplace(stored.name, to_tensor(stored, *element, files)).second,
                     "it has two tensors '{}' (forged)", printable(stored.name));
        }
    }
    return tensors;
}

}  // namespace nanoatlas::nn
