// The pictures of a corpus, decoded, any row at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "store/corpus.hpp"

namespace nanoatlas::nn {

/// u8 pictures of one size. Those of a corpus are mapped from its file: the ranks of a node share
/// one copy in the system's page cache, a corpus larger than memory works, and any rank reads any
/// row without a message. Move-only.
class Images {
  public:
    /// pixels: [n, height, width]
    Images(std::vector<std::uint8_t> pixels, int height, int width);
    explicit Images(const store::CorpusReader& corpus);
    Images(Images&& other) noexcept;
    Images& operator=(Images&& other) noexcept;
    ~Images();

    std::int64_t count() const { return count_; }
    int height() const { return height_; }
    int width() const { return width_; }
    /// [height, width]
    const std::uint8_t* row(std::int64_t i) const {
        return pixels_ + static_cast<std::size_t>(i) * row_bytes();
    }
    /// Asks the system to read these rows ahead, while the caller goes on.
    void will_need(std::span<const std::int64_t> rows) const;

  private:
    std::size_t row_bytes() const {
        return static_cast<std::size_t>(height_) * static_cast<std::size_t>(width_);
    }
    bool map_file(const store::CorpusReader& corpus);
    void unmap();

    std::int64_t count_ = 0;
    int height_ = 0, width_ = 0;
    std::vector<std::uint8_t> memory_;
    void* mapped_ = nullptr;
    std::size_t mapped_bytes_ = 0;
    const std::uint8_t* pixels_ = nullptr;
};

}  // namespace nanoatlas::nn
