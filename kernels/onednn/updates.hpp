// Arithmetic on flat f32 buffers, on all threads of the rank: the fast form of
// kernels/reference/updates.hpp.
#pragma once

#include <memory>

#include "kernels/updates.hpp"

namespace nanoatlas::kernels::onednn {

void multiply(const float* x, float factor, std::int64_t count, float* y);
void accumulate(const float* x, float factor, std::int64_t count, float* sum);
void approach(const float* x, float part, std::int64_t count, float* average);
/// The same bits on any number of threads.
std::unique_ptr<Updater> make_updater(const UpdateOptions& options,
                                      std::span<const UpdateSlice> slices);

}  // namespace nanoatlas::kernels::onednn
