// Reads .safetensors files.
//
// Source: the format's description in huggingface/safetensors, README.md.
#pragma once

#include "nn/import/bytes.hpp"
#include "nn/tensor.hpp"

namespace nanoatlas::nn {

/// All numbers as f32. throws InputError, without the file's name
TensorMap read_safetensors(Bytes bytes);

}  // namespace nanoatlas::nn
