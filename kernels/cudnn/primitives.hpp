// The primitives of the back end, on one device.
#pragma once

#include <memory>

#include "kernels/cudnn/device.hpp"
#include "kernels/updates.hpp"

namespace nanoatlas::kernels::cudnn {

using DevicePointer = std::shared_ptr<Device>;

/// T: how images are stored, float or __nv_bfloat16.
template <class T>
std::unique_ptr<Convolution> make_convolution(const ConvolutionShape& shape, DevicePointer device);
template <class T>
std::unique_ptr<BatchNorm> make_batch_norm(const BatchNormShape& shape, DevicePointer device);
template <class T>
std::unique_ptr<Pooling> make_pooling(const PoolShape& shape, DevicePointer device);
template <class T>
std::unique_ptr<Loss> make_loss(const LossShape& shape, DevicePointer device);
/// Null for pictures that it cannot read.
template <class T>
std::unique_ptr<PictureReader> make_picture_reader(const PictureFormat& format,
                                                   DevicePointer device);
std::unique_ptr<Updater> make_updater(const UpdateOptions& options,
                                      std::span<const UpdateSlice> slices, DevicePointer device);
/// Replays as one CUDA graph.
std::unique_ptr<Recording> make_recording(DevicePointer device);

/// The task of sums over an image's rows, its partial sums at the start of the workspace.
template <class T>
NormTask reserve_task(std::int64_t rows, std::int64_t channels, Device& device) {
    constexpr std::int64_t vector = 16 / sizeof(T);
    const auto reduction = plan_reduction(rows, channels, channels % vector == 0 ? vector : 1);
    device.reserve_workspace(reduction.splits * 2 * channels *
                             static_cast<std::int64_t>(sizeof(double)));
    return {rows, channels, reduction, nullptr, nullptr};
}

}  // namespace nanoatlas::kernels::cudnn
