// Stands in for the back end's: without cuDNN there is no plan, and plain kernels convolve.
#pragma once

#include <cudnn.h>

#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "kernels/cudnn/route.hpp"

namespace nanoatlas::kernels::cudnn {

enum Uid : std::int64_t { uid_x = 1, uid_weights, uid_y, uid_bias, uid_addend };
using Binding = std::pair<Uid, const void*>;

class Plan {
  public:
    std::int64_t workspace_bytes() const { return 0; }
    void run(cudnnHandle_t, std::span<const Binding>, void*) const {}
};

class Target {
  public:
    explicit Target(cudnnHandle_t) {}
};

inline PlanPointer find_plan(const PlanRequest&, std::int64_t, const Target&) {
    return nullptr;
}

}  // namespace nanoatlas::kernels::cudnn
