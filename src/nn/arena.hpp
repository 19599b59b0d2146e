// One block of memory for all activations and gradients of a plan, shared by lifetime.
#pragma once

#include <cstdint>
#include <vector>

namespace nanoatlas::nn {

/// Buffers and the times at which each is in use; layout() places them so that no two that live at
/// once overlap.
class Arena {
  public:
    /// Number of the new buffer, in use at that time.
    int add(std::int64_t bytes, int time);
    /// It is in use from its first to its last time.
    void use(int buffer, int time);
    /// Places all buffers, large ones first, each at the lowest offset that is free throughout its
    /// life. Returns the bytes needed in all.
    std::int64_t layout();
    /// By buffer, multiples of 64; after layout().
    const std::vector<std::int64_t>& offsets() const { return offsets_; }

  private:
    struct Buffer {
        std::int64_t bytes;
        int first, last;
    };
    std::vector<Buffer> buffers_;
    std::vector<std::int64_t> offsets_;
};

}  // namespace nanoatlas::nn
