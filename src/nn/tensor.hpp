// Tensors in the host's memory, as files and the zoo speak of them: named, f32, row-major.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace nanoatlas::nn {

/// Row-major values; an empty shape is a scalar with one value.
struct HostTensor {
    std::vector<std::int64_t> shape;
    std::vector<float> values;
};

/// By torchvision's name.
using TensorMap = std::map<std::string, HostTensor>;

}  // namespace nanoatlas::nn
