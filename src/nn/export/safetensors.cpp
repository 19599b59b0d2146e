#include "nn/export/safetensors.hpp"

#include <bit>
#include <cstdint>
#include <nlohmann/json.hpp>

namespace nanoatlas::nn {

namespace {

using json = nlohmann::ordered_json;

constexpr std::size_t alignment = 8;

std::string header_text(const TensorMap& tensors,
                        const std::map<std::string, std::string>& metadata) {
    json header;
    header["__metadata__"] = metadata;
    std::size_t offset = 0;
    for (const auto& [name, tensor] : tensors) {
        const auto end = offset + tensor.values.size() * sizeof(float);
        header[name] = {{"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {offset, end}}};
        offset = end;
    }
    auto text = header.dump(-1, ' ', false, json::error_handler_t::replace);
    text.resize((text.size() + alignment - 1) / alignment * alignment, ' ');
    return text;
}

}  // namespace

std::string safetensors_bytes(const TensorMap& tensors,
                              const std::map<std::string, std::string>& metadata) {
    static_assert(std::endian::native == std::endian::little);
    const auto header = header_text(tensors, metadata);
    const std::uint64_t length = header.size();
    std::size_t size = sizeof length + header.size();
    for (const auto& [name, tensor] : tensors) size += tensor.values.size() * sizeof(float);

    std::string bytes;
    bytes.reserve(size);
    bytes.append(reinterpret_cast<const char*>(&length), sizeof length);
    bytes += header;
    for (const auto& [name, tensor] : tensors)
        bytes.append(reinterpret_cast<const char*>(tensor.values.data()),
                     tensor.values.size() * sizeof(float));
    return bytes;
}

}  // namespace nanoatlas::nn
