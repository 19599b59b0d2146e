#include "nn/import/element.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/check.hpp"

namespace nanoatlas::nn {

namespace {

float from_half(std::uint16_t half) {
    const int sign = half >> 15, exponent = (half >> 10) & 31, fraction = half & 1023;
    float magnitude;
    if (exponent == 31)
        magnitude = fraction == 0 ? INFINITY : NAN;
    else if (exponent == 0)
        magnitude = std::ldexp(static_cast<float>(fraction), -24);
    else
        magnitude = std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
    return sign != 0 ? -magnitude : magnitude;
}

float from_bfloat(std::uint16_t bits) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

template <class Stored, class ToFloat>
void convert_each(Bytes bytes, std::span<float> values, ToFloat to_float) {
    for (std::size_t i = 0; i < values.size(); ++i) {
        Stored stored;
        std::memcpy(&stored, bytes.data() + i * sizeof stored, sizeof stored);
        values[i] = to_float(stored);
    }
}

template <class Stored>
void cast_each(Bytes bytes, std::span<float> values) {
    convert_each<Stored>(bytes, values, [](Stored stored) { return static_cast<float>(stored); });
}

}  // namespace

std::size_t size_of(Element element) {
    switch (element) {
        case Element::i8:
        case Element::u8:
        case Element::boolean:
            return 1;
        case Element::f16:
        case Element::bf16:
        case Element::i16:
            return 2;
        case Element::f32:
        case Element::i32:
            return 4;
        case Element::f64:
        case Element::i64:
            return 8;
    }
    return 0;
}

void convert(Bytes bytes, Element element, std::span<float> values) {
    static_assert(std::endian::native == std::endian::little);
    ASSERT(bytes.size() == values.size() * size_of(element));
    switch (element) {
        case Element::f16:
            return convert_each<std::uint16_t>(bytes, values, from_half);
        case Element::bf16:
            return convert_each<std::uint16_t>(bytes, values, from_bfloat);
        case Element::f32:
            if (!values.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
            return;
        case Element::f64:
            return cast_each<double>(bytes, values);
        case Element::i8:
            return cast_each<std::int8_t>(bytes, values);
        case Element::u8:
        case Element::boolean:
            return cast_each<std::uint8_t>(bytes, values);
        case Element::i16:
            return cast_each<std::int16_t>(bytes, values);
        case Element::i32:
            return cast_each<std::int32_t>(bytes, values);
        case Element::i64:
            return cast_each<std::int64_t>(bytes, values);
    }
}

std::uint64_t count_elements(std::span<const std::int64_t> shape, std::string_view name) {
    constexpr std::uint64_t most = std::uint64_t{1} << 33;
    VALIDATE(shape.size() <= 8, "tensor '{}' has {} dimensions (at most 8 make sense)",
             printable(name), shape.size());
    std::uint64_t count = 1;  // as if no dimension were 0, so that all products stay small
    bool is_empty = false;
    for (const auto extent : shape) {
        VALIDATE(extent >= 0, "tensor '{}' has a dimension of {}", printable(name), extent);
        is_empty |= extent == 0;
        const auto factor = std::max<std::uint64_t>(static_cast<std::uint64_t>(extent), 1);
        VALIDATE(count <= most / factor, "tensor '{}' of shape {} is larger than any file",
                 printable(name), shape_text(shape));
        count *= factor;
    }
    return is_empty ? 0 : count;
}

std::string shape_text(std::span<const std::int64_t> shape) {
    return shape.empty() ? "scalar" : fmt::format("{}", fmt::join(shape, "x"));
}

}  // namespace nanoatlas::nn
