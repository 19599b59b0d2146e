#include "nn/import/protobuf.hpp"

#include "base/check.hpp"

namespace nanoatlas::nn {

std::optional<ProtobufField> ProtobufReader::next() {
    if (is_at_end()) return std::nullopt;
    using Kind = ProtobufField::Kind;
    const auto position = reader_.position();
    const auto key = varint();
    ProtobufField field{.number = key >> 3};
    switch (key & 7) {
        case 0:
            field.value = varint();
            return field;
        case 1:
            field.kind = Kind::fixed64;
            field.value = reader_.u64();
            return field;
        case 2:
            field.kind = Kind::bytes;
            field.content = reader_.take(varint());
            return field;
        case 5:
            field.kind = Kind::fixed32;
            field.value = reader_.u32();
            return field;
        default:
            throw InputError(fmt::format(
                "at byte {} of a message, a field has the unknown wire type {} (damaged)", position,
                key & 7));
    }
}

std::uint64_t ProtobufReader::varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        const std::uint64_t byte = reader_.u8();
        value |= (byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) return value;
    }
    throw InputError(
        fmt::format("at byte {} of a message, a number has no end (damaged)", reader_.position()));
}

}  // namespace nanoatlas::nn
