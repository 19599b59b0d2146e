// Reads the weights that torch.save() wrote: ZIP archives (since 1.6) and the legacy format.
//
// Source: torch/serialization.py (_legacy_save, _save), torch/_utils.py (_rebuild_tensor_v2).
#pragma once

#include "nn/import/bytes.hpp"
#include "nn/tensor.hpp"

namespace nanoatlas::nn {

/// A state_dict, or a training checkpoint that holds one under "state_dict", "model_state_dict",
/// "model" or "net", or only one under any key; all numbers as f32, strides resolved. Names as in
/// the file.
/// throws InputError, without the file's name
TensorMap read_torch_zip(Bytes bytes);
TensorMap read_torch_legacy(Bytes bytes);

/// True if the bytes begin as a pickle does.
bool is_pickle(Bytes bytes);

}  // namespace nanoatlas::nn
