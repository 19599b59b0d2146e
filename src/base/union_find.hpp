// Disjoint sets whose name is their first member.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

namespace nanoatlas::base {

class UnionFind {
  public:
    explicit UnionFind(std::int64_t count) : parent_(static_cast<std::size_t>(count)) {
        std::iota(parent_.begin(), parent_.end(), std::int64_t{0});
    }
    /// The smallest member of the set that holds i.
    std::int64_t first_of(std::int64_t i) {
        while (parent(i) != i) i = parent(i) = parent(parent(i));
        return i;
    }
    void join(std::int64_t a, std::int64_t b) {
        a = first_of(a);
        b = first_of(b);
        parent(std::max(a, b)) = std::min(a, b);
    }

  private:
    std::int64_t& parent(std::int64_t i) { return parent_[static_cast<std::size_t>(i)]; }
    std::vector<std::int64_t> parent_;
};

}  // namespace nanoatlas::base
