// Reads the weights of a network from whatever file or folder they lie in.
#pragma once

#include <string>

#include "nn/tensor.hpp"

namespace nanoatlas::nn {

/// Tensors by the names in the file, as f32: PyTorch's .pth (ZIP and legacy), .safetensors, .onnx
/// (its initialisers), or a folder of .npy, a tensor each. The kind is found from the content. The
/// parts of names that torch's wrappers add ("module.") and the counters "num_batches_tracked" are
/// dropped. Not collective.
/// throws InputError if it is none of these, damaged, hostile, or holds a NaN or an infinity
TensorMap read_weights(const std::string& path);

}  // namespace nanoatlas::nn
