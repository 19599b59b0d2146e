// The CNN back ends by their names.
#pragma once

#include <memory>

#include "kernels/cnn.hpp"
#include "nn/network.hpp"

namespace nanoatlas::nn {

/// In the wanted precision, or in f32 where it cannot be had: says so.
/// ranks   that share its steps and must outlive it; null: this rank works alone. With them it is
///         collective
/// throws InputError if the back end was not configured in, or there is no device for it
std::unique_ptr<kernels::Backend> make_backend(BackendKind kind, Precision precision,
                                               const kernels::Ranks* ranks = nullptr);

}  // namespace nanoatlas::nn
