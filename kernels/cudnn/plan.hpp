// Convolutions as cuDNN's graphs, and the plans that its heuristics propose for them.
//
// Plans are found on a device in use, or for a device that is only described (its properties as
// cuDNN's JSON), which needs no GPU: so they can be tested anywhere.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "kernels/cnn.hpp"
#include "kernels/cudnn/descriptor.hpp"
#include "kernels/cudnn/route.hpp"

namespace nanoatlas::kernels::cudnn {

/// Where plans are to run.
class Target {
  public:
    explicit Target(cudnnHandle_t handle) : handle_(handle) {}
    explicit Target(const std::string& properties);

    cudnnHandle_t handle() const { return handle_; }
    /// Null for a device in use.
    const Descriptor* properties() const { return properties_ ? &*properties_ : nullptr; }

  private:
    cudnnHandle_t handle_ = nullptr;
    std::optional<Descriptor> properties_;
};

/// The tensors of a convolution's graph, by number.
enum Uid : std::int64_t { uid_x = 1, uid_weights, uid_y, uid_bias, uid_addend };
using Binding = std::pair<Uid, const void*>;

/// A plan that is ready to run.
class Plan {
  public:
    Plan(Descriptor plan, std::int64_t workspace_bytes)
        : plan_(std::move(plan)), workspace_bytes_(workspace_bytes) {}

    std::int64_t workspace_bytes() const { return workspace_bytes_; }
    void run(cudnnHandle_t handle, std::span<const Binding> tensors, void* workspace) const;

  private:
    Descriptor plan_;
    std::int64_t workspace_bytes_;
};

/// The best plan within the limit by cuDNN's heuristics; null if there is none. In f32 only those
/// that compute in f32; always only those that give the same bits each time.
std::shared_ptr<const Plan> find_plan(const PlanRequest& request, std::int64_t workspace_limit,
                                      const Target& target);

}  // namespace nanoatlas::kernels::cudnn
