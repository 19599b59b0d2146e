// Reads the weights of .onnx files: the initialisers of their graph. What the graph computes with
// them is not looked at.
//
// Source: onnx/onnx.proto (ModelProto, GraphProto, TensorProto).
#pragma once

#include <filesystem>

#include "nn/import/bytes.hpp"
#include "nn/tensor.hpp"

namespace nanoatlas::nn {

/// Floating-point numbers of any width as f32; whole numbers are constants of the graph, not
/// weights, and left out.
///
/// folder  where files lie that the model keeps numbers in ("external data"), named without a path
/// throws  InputError, without the file's name
TensorMap read_onnx(Bytes bytes, const std::filesystem::path& folder);

/// True if the bytes begin as an ONNX model does.
bool is_onnx(Bytes bytes);

}  // namespace nanoatlas::nn
