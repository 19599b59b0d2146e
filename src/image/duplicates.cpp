#include "image/duplicates.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <unordered_map>

#include "base/union_find.hpp"

namespace nanoatlas::image {
namespace {

constexpr int pieces = 4, piece_bits = 16;

std::uint32_t piece_of(std::uint64_t hash, int piece) {
    return static_cast<std::uint32_t>(hash >> (piece * piece_bits)) & 0xFFFF;
}

/// Pictures by the value of one piece of their hash, ascending within a value.
class PieceIndex {
  public:
    PieceIndex(std::span<const Fingerprint> pictures, std::span<const std::int64_t> members,
               int piece)
        : start_((std::size_t{1} << piece_bits) + 1), members_(members.size()) {
        const auto value = [&](std::int64_t i) {
            return piece_of(pictures[static_cast<std::size_t>(i)].perceptual, piece);
        };
        for (const auto i : members) ++start_[value(i) + 1];
        std::partial_sum(start_.begin(), start_.end(), start_.begin());
        auto next = start_;
        for (const auto i : members) members_[next[value(i)]++] = i;
    }
    std::span<const std::int64_t> of(std::uint32_t value) const {
        return std::span(members_).subspan(start_[value], start_[value + 1] - start_[value]);
    }

  private:
    std::vector<std::size_t> start_;
    std::vector<std::int64_t> members_;
};

class Search {
  public:
    Search(std::span<const Fingerprint> pictures, const DuplicateLimits& limits)
        : pictures_(pictures),
          limits_(limits),
          groups_(static_cast<std::int64_t>(pictures.size())),
          duplicate_of_(pictures.size(), -1) {}

    /// Of pictures with equal pixels only the first goes on; returns those.
    std::vector<std::int64_t> join_exact() {
        std::unordered_map<std::uint64_t, std::int64_t> first_with;
        std::vector<std::int64_t> firsts;
        for (std::int64_t i = 0; i < size(); ++i) {
            const auto [entry, is_new] = first_with.try_emplace(at(i).exact, i);
            if (is_new)
                firsts.push_back(i);
            else
                join(entry->second, i);
        }
        return firsts;
    }

    /// With at most 7 bits apart, one of 4 pieces is at most 1 bit apart: look up each piece as it
    /// is and with each bit flipped.
    void join_near(std::span<const std::int64_t> members) {
        for (int piece = 0; piece < pieces; ++piece) {
            const PieceIndex index(pictures_, members, piece);
            for (const auto i : members) {
                const auto value = piece_of(at(i).perceptual, piece);
                join_matches(i, index.of(value));
                for (int bit = 0; bit < piece_bits; ++bit)
                    join_matches(i, index.of(value ^ (1U << bit)));
            }
        }
    }

    Duplicates result() {
        Duplicates found{.duplicate_of = duplicate_of_, .group = {}};
        for (std::int64_t i = 0; i < size(); ++i) found.group.push_back(groups_.first_of(i));
        return found;
    }

  private:
    std::int64_t size() const { return static_cast<std::int64_t>(pictures_.size()); }
    const Fingerprint& at(std::int64_t i) const { return pictures_[static_cast<std::size_t>(i)]; }

    void join_matches(std::int64_t i, std::span<const std::int64_t> candidates) {
        for (const auto j : candidates) {
            if (j >= i) break;
            if (are_alike(at(i), at(j), limits_)) join(j, i);
        }
    }
    void join(std::int64_t earlier, std::int64_t later) {
        groups_.join(earlier, later);
        auto& known = duplicate_of_[static_cast<std::size_t>(later)];
        known = known < 0 ? earlier : std::min(known, earlier);
    }

    std::span<const Fingerprint> pictures_;
    DuplicateLimits limits_;
    base::UnionFind groups_;
    std::vector<std::int64_t> duplicate_of_;
};

}  // namespace

bool are_alike(const Fingerprint& a, const Fingerprint& b, const DuplicateLimits& limits) {
    if (bits_apart(a.perceptual, b.perceptual) > limits.perceptual_bits) return false;
    int common = 0, apart = 0;
    for (std::size_t k = 0; k < a.detail.strong.size(); ++k) {
        const auto both = a.detail.strong[k] & b.detail.strong[k];
        common += std::popcount(both);
        apart += std::popcount(both & (a.detail.brighter[k] ^ b.detail.brighter[k]));
    }
    return common >= limits.common_detail && apart <= limits.detail_apart * common;
}

Duplicates find_duplicates(std::span<const Fingerprint> pictures,
                           std::span<const std::uint8_t> is_small, const DuplicateLimits& limits) {
    Search search(pictures, limits);
    auto members = search.join_exact();
    std::erase_if(members,
                  [&](std::int64_t i) { return is_small[static_cast<std::size_t>(i)] != 0; });
    search.join_near(members);
    return search.result();
}

}  // namespace nanoatlas::image
