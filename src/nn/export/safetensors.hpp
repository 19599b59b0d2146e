// Writes .safetensors files, which PyTorch and its kin read.
//
// Source: the format's description in huggingface/safetensors, README.md.
#pragma once

#include <map>
#include <string>

#include "nn/tensor.hpp"

namespace nanoatlas::nn {

/// The file's bytes: all tensors as F32, in the order of their names, and what else is to be known
/// of them as texts by name. The numbers begin at a multiple of 8 bytes, so that the file can be
/// mapped. Bytes of names and texts that are no UTF-8 are replaced.
std::string safetensors_bytes(const TensorMap& tensors,
                              const std::map<std::string, std::string>& metadata);

}  // namespace nanoatlas::nn
