// From a model of ours to a file that PyTorch reads.
#pragma once

#include <string>

#include "nn/model_file.hpp"

namespace nanoatlas::nn {

/// Turns a stem for grey into one for colour, as torchvision's networks have: each of three
/// channels gets a third of the weights, so that three equal channels give what the grey one gave
/// (to f32's rounding). No effect on a colour model.
void spread_to_colour(ModelFile& model);

/// A .safetensors file: the tensors by torchvision's names (zoo.hpp says where a network has
/// others) and as metadata "format" (pt), "arch", "size", and as JSON "classes", "mean", "std" and
/// "provenance".
std::string export_model(const ModelFile& model, const std::string& provenance);

}  // namespace nanoatlas::nn
