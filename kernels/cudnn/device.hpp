// One GPU at work for one rank: its stream, cuDNN's handle, and what all primitives share.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

#include "kernels/cnn.hpp"
#include "kernels/cudnn/handles.hpp"
#include "kernels/cudnn/kernels.hpp"
#include "kernels/cudnn/plan.hpp"
#include "kernels/cudnn/rank_sums.hpp"

namespace nanoatlas::kernels::cudnn {

class Device {
  public:
    /// The node's device of this rank's number, modulo their number. Collective over the ranks.
    /// throws DeviceError on all ranks if one of them has no device
    Device(Precision precision, const Ranks* ranks);

    Precision precision() const { return precision_; }
    cudaStream_t stream() const { return stream_.get(); }
    cudnnHandle_t cudnn() const { return cudnn_.get(); }
    /// Null where this rank works alone.
    RankSums* sums() const { return sums_.get(); }
    /// Free on the device, divided by the ranks that share it, and what primitives have taken.
    std::int64_t available_bytes() const;
    void finish() const { check(cudaStreamSynchronize(stream()), "finish work on the device"); }

    /// Plans are found once for equal requests.
    PlanPointer find(const PlanRequest& request);

    /// Workspace is one block, as large as the neediest primitive asks.
    void reserve_workspace(std::int64_t bytes);
    /// Memory that a primitive has taken for itself.
    void announce(std::int64_t bytes) { announced_bytes_ += bytes; }
    std::int64_t reserved_bytes() const { return workspace_bytes_ + announced_bytes_; }
    /// Takes what was reserved; blocks taken before stay, as recordings may work on them.
    void* workspace();

    /// In the order of the stream; the values may change after the call.
    template <class V>
    void upload(std::span<V> values, std::remove_const_t<V>* to) const {
        check(cudaMemcpyAsync(to, values.data(), values.size_bytes(), cudaMemcpyHostToDevice,
                              stream()),
              "copy to the device");
    }

    void set_step(const DropoutKey& key);
    DeviceKey relative(const DropoutKey& key) const;

  private:
    void choose_device(const Ranks* ranks);

    Precision precision_;
    int ranks_a_device_ = 1;
    Stream stream_;
    CudnnHandle cudnn_;
    std::unique_ptr<RankSums> sums_;
    std::vector<std::pair<PlanRequest, PlanPointer>> plans_;
    std::vector<DeviceBlock> workspaces_;
    std::int64_t workspace_bytes_ = 0, workspace_taken_ = 0, announced_bytes_ = 0;
    StepNumbers step_;
    DeviceBlock device_step_;
};

/// A block of an element type.
template <class T>
class DeviceArray {
  public:
    DeviceArray() = default;
    DeviceArray(std::int64_t count, Device& device)
        : block_(allocate_on_device(count * static_cast<std::int64_t>(sizeof(T)))) {
        device.announce(count * static_cast<std::int64_t>(sizeof(T)));
    }
    T* get() const { return static_cast<T*>(block_.get()); }

  private:
    DeviceBlock block_;
};

}  // namespace nanoatlas::kernels::cudnn
