// The number formats that weight files hold, and their conversion to f32.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nn/import/bytes.hpp"
#include "nn/tensor.hpp"

namespace nanoatlas::nn {

enum class Element { f16, bf16, f32, f64, i8, u8, i16, i32, i64, boolean };

std::size_t size_of(Element element);

/// Little-endian values as f32 (rounded to nearest where f32 has fewer bits).
/// bytes.size() is values.size() * size_of(element).
void convert(Bytes bytes, Element element, std::span<float> values);

/// Elements of a tensor. throws InputError if a dimension is negative, there are more than eight,
/// or the product of those that are not 0 exceeds 2^33
std::uint64_t count_elements(std::span<const std::int64_t> shape, std::string_view name);

/// "64x3x7x7"; "scalar" for no dimensions.
std::string shape_text(std::span<const std::int64_t> shape);

}  // namespace nanoatlas::nn
