// Walks over the fields of a protobuf message.
//
// Source: protobuf's documentation, "Encoding" (protobuf.dev/programming-guides/encoding).
#pragma once

#include <cstdint>
#include <optional>

#include "nn/import/bytes.hpp"

namespace nanoatlas::nn {

struct ProtobufField {
    enum class Kind { number, fixed64, bytes, fixed32 };
    std::uint64_t number = 0;  ///< by which the message's description knows it
    Kind kind = Kind::number;
    std::uint64_t value = 0;  ///< of numbers; the bits of fixed ones
    Bytes content = {};  ///< of bytes: a text, a message, or numbers packed one after the other
};

class ProtobufReader {
  public:
    explicit ProtobufReader(Bytes message) : reader_(message) {}

    /// The next field; none at the end of the message.
    /// throws InputError if it is malformed or truncated
    std::optional<ProtobufField> next();
    /// A number by itself, as packed ones follow each other.
    std::uint64_t varint();
    bool is_at_end() const { return reader_.remaining() == 0; }

  private:
    ByteReader reader_;
};

}  // namespace nanoatlas::nn
