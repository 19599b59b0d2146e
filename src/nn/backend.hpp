// The CNN back ends by their names.
#pragma once

#include <memory>

#include "kernels/cnn.hpp"
#include "nn/network.hpp"

namespace nanoatlas::nn {

/// In the wanted precision, or in f32 where it cannot be had: says so.
/// throws InputError if the back end was not configured in
std::unique_ptr<kernels::Backend> make_backend(BackendKind kind, Precision precision);

}  // namespace nanoatlas::nn
