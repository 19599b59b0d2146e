// Values that a back end works on and the host sees.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/cnn.hpp"

namespace nanoatlas::nn {

/// f32 values in a back end's memory. The host sees them in place where it can, else a copy that is
/// brought up to date when one side asks for what the other has changed.
class Values {
  public:
    /// All 0. The back end must outlive them.
    Values(kernels::Backend& backend, std::int64_t count);

    std::int64_t size() const { return size_; }
    /// At the same place always, up to date with what the host changed; valid for reading, and
    /// after changed_by_backend() for writing.
    float* in_backend();
    /// The back end writes into them now.
    float* changed_by_backend();
    std::span<const float> on_host() const;
    /// The host writes into them until the back end asks for them.
    std::span<float> changed_by_host();

  private:
    enum class Newest { both, host, backend };

    bool is_copied() const { return !backend_->shares_host_memory(); }
    std::int64_t bytes() const { return size_ * static_cast<std::int64_t>(sizeof(float)); }
    std::span<float> bring_home() const;

    kernels::Backend* backend_;
    std::int64_t size_;
    kernels::Memory memory_;
    mutable std::vector<float> copy_;  // empty until it is asked for
    mutable Newest newest_ = Newest::both;
};

}  // namespace nanoatlas::nn
