// The CNN back end on NVIDIA GPUs.
#pragma once

#include <memory>

#include "kernels/cnn.hpp"

namespace nanoatlas::kernels::cudnn {

/// GPUs that can be used here; 0 in builds without cuDNN.
int device_count();

/// ranks   that share its steps and must outlive it; null: none. With them it is collective
/// throws std::runtime_error if cuDNN was not configured into this build, or there is no GPU: says
/// so
std::unique_ptr<Backend> make_backend(Precision precision, const Ranks* ranks = nullptr);

}  // namespace nanoatlas::kernels::cudnn
