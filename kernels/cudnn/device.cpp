#include "kernels/cudnn/device.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace nanoatlas::kernels::cudnn {
namespace {

/// A plan may take that much workspace; faster ones rarely need more.
constexpr std::int64_t workspace_limit = std::int64_t{1} << 30;

}  // namespace

Device::Device(Precision precision, const Ranks* ranks) : precision_(precision) {
    choose_device(ranks);
    stream_ = make_stream();
    cudnnHandle_t handle = nullptr;
    check(cudnnCreate(&handle), "start cuDNN");
    cudnn_ = CudnnHandle(handle);
    check(cudnnSetStream(handle, stream()), "give cuDNN its stream");
    device_step_ = allocate_on_device(sizeof(StepNumbers));
    check(cudaMemset(device_step_.get(), 0, sizeof(StepNumbers)), "clear memory");
    if (ranks != nullptr && ranks->size() > 1)
        sums_ = make_rank_sums(*ranks, stream(), ranks_a_device_ == 1);
}

void Device::choose_device(const Ranks* ranks) {
    int count = 0;
    const auto status = cudaGetDeviceCount(&count);
    std::array<double, 1> missing{status != cudaSuccess || count == 0 ? 1.0 : 0.0};
    if (ranks != nullptr) ranks->sum(missing);
    if (missing[0] > 0)
        throw DeviceError("no NVIDIA GPU can be used here (" +
                          std::string(cudaGetErrorString(status)) +
                          "); use --backend onednn, or a machine with a GPU and its driver");
    const int rank = ranks == nullptr ? 0 : ranks->node_rank();
    const int size = ranks == nullptr ? 1 : ranks->node_size();
    ranks_a_device_ = (size + count - 1) / count;
    check(cudaSetDevice(rank % count), "choose a device");
}

std::int64_t Device::available_bytes() const {
    std::size_t free = 0, total = 0;
    check(cudaMemGetInfo(&free, &total), "ask for the device's memory");
    return static_cast<std::int64_t>(free) / ranks_a_device_ + announced_bytes_;
}

PlanPointer Device::find(const PlanRequest& request) {
    for (const auto& [known, plan] : plans_)
        if (known == request) return plan;
    plans_.emplace_back(request, find_plan(request, workspace_limit, Target(cudnn())));
    return plans_.back().second;
}

void Device::reserve_workspace(std::int64_t bytes) {
    workspace_bytes_ = std::max(workspace_bytes_, bytes);
}

void* Device::workspace() {
    if (workspaces_.empty() || workspace_bytes_ > workspace_taken_) {
        workspaces_.push_back(allocate_on_device(workspace_bytes_));
        workspace_taken_ = workspace_bytes_;
    }
    return workspaces_.back().get();
}

void Device::set_step(const DropoutKey& key) {
    step_ = {key.stream, key.first_sample};
    upload(std::span(&step_, 1), static_cast<StepNumbers*>(device_step_.get()));
}

DeviceKey Device::relative(const DropoutKey& key) const {
    return {{key.stream - step_.stream, key.first_sample - step_.first_sample, key.probability},
            static_cast<const StepNumbers*>(device_step_.get())};
}

}  // namespace nanoatlas::kernels::cudnn
