#include "nn/channel_format.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/check.hpp"

namespace nanoatlas::nn {
namespace {

using kernels::Element;

std::size_t index(int storage) {
    return static_cast<std::size_t>(storage);
}

/// Sets of numbers that grow together.
class Sets {
  public:
    explicit Sets(std::size_t count) : parents_(count) {
        std::iota(parents_.begin(), parents_.end(), 0);
    }
    std::size_t find(std::size_t i) const {
        while (parents_[i] != i) i = parents_[i];
        return i;
    }
    void join(std::size_t a, std::size_t b) { parents_[find(a)] = find(b); }

  private:
    std::vector<std::size_t> parents_;
};

bool is_padded(const Node& node) {
    const auto touches = [](const Padding& padding) {
        return padding.top + padding.left + padding.bottom + padding.right > 0;
    };
    if (const auto* convolution = std::get_if<Convolution>(&node.attributes))
        return touches(convolution->padding);
    return node.op == Op::average_pool && touches(std::get<Pool>(node.attributes).padding);
}

class Chooser {
  public:
    Chooser(const Fusion& fusion, const Ranges& ranges, const Wiring& wiring)
        : ranges_(fusion.storage.size(), nullptr),
          first_(fusion.storage.size() + 1, 0),
          alike_(fusion.storage.size()),
          members_(fusion.storage.size(), 0),
          needs_zero_(fusion.storage.size(), false),
          is_plain_(fusion.storage.size(), false),
          is_signed_(fusion.storage.size(), false) {
        storages_.push_back(0);
        for (const auto& group : fusion.groups) storages_.push_back(group.output);
        for (const int storage : storages_) {
            const auto found = ranges.find(wiring.node(storage).name);
            ASSERT(found != ranges.end());
            ranges_[index(storage)] = &found->second;
        }
        for (std::size_t i = 0; i < ranges_.size(); ++i)
            first_[i + 1] = first_[i] + (ranges_[i] ? ranges_[i]->low.size() : 0);
        same_ = Sets(first_.back());
        for (const auto& group : fusion.groups)
            if (copies_integers(wiring.node(group.first).op))
                join(group, wiring.node(group.first).op);
        for (const int storage : storages_) {
            ++members_[alike(storage)];
            if (ranges_[index(storage)]->lowest() < 0) is_signed_[alike(storage)] = true;
        }
        for (const auto& group : fusion.groups) {
            if (is_padded(wiring.node(group.first))) needs_zero_[alike(group.inputs[0])] = true;
            if (!may_scale(group)) is_plain_[alike(group.output)] = true;
        }
    }

    std::vector<ChannelFormat> choose() {
        std::vector<float> lows(first_.back()), factors(first_.back()), most(ranges_.size());
        for_each_channel([&](int storage, std::size_t c, std::size_t set) {
            if (is_shifted(storage))
                lows[set] = std::min(lows[set], ranges_[index(storage)]->low[c]);
        });
        for_each_channel([&](int storage, std::size_t c, std::size_t set) {
            const auto& range = *ranges_[index(storage)];
            const float reach = is_shifted(storage) ? range.high[c] - lows[set]
                                                    : std::max(range.high[c], -range.low[c]);
            factors[set] = std::max(factors[set], reach);
            most[alike(storage)] = std::max(most[alike(storage)], reach);
        });
        std::vector<ChannelFormat> formats(ranges_.size());
        for (const int storage : storages_) {
            auto& chosen = formats[index(storage)];
            const bool is_s8 = is_signed_[alike(storage)] && !is_shifted(storage);
            const float limit = most[alike(storage)] > 0 ? most[alike(storage)] : 1;
            chosen.format = {is_s8 ? Element::s8 : Element::u8, limit / (is_s8 ? 127 : 255)};
            if (is_plain_[alike(storage)]) continue;
            for (std::size_t c = 0; c < ranges_[index(storage)]->low.size(); ++c) {
                const auto set = same_.find(first_[index(storage)] + c);
                chosen.factors.push_back(balanced(factors[set] / limit));
                chosen.shifts.push_back(lows[set]);
            }
        }
        return formats;
    }

  private:
    std::size_t alike(int storage) const { return alike_.find(index(storage)); }
    /// u8 whose zero is not the value 0: where nobody pads it with zeros.
    bool is_shifted(int storage) const {
        const auto set = alike(storage);
        return is_signed_[set] && !is_plain_[set] && !needs_zero_[set];
    }

    void join(const Group& group, Op op) {
        std::size_t from = 0;
        for (const int input : group.inputs) {
            const auto channels = ranges_[index(input)]->low.size();
            for (std::size_t c = 0; c < channels; ++c)
                same_.join(first_[index(input)] + c, first_[index(group.output)] + from + c);
            alike_.join(index(input), index(group.output));
            if (op == Op::concat) from += channels;
        }
    }

    /// GELU of a value times a factor is none of its GELU; and 6 is no end of a range that others
    /// share. What ReLU6 puts out by itself ends at 6 at most, and so do its integers.
    bool may_scale(const Group& group) const {
        return group.activation != kernels::Activation::gelu &&
               (group.activation != kernels::Activation::relu6 ||
                members_[alike(group.output)] == 1);
    }

    /// Two thirds of the way, in logarithms, from one factor for all channels to each channel's own
    /// reach: the latter would clip images that reach farther than those of the calibration, and
    /// leave the next weights as unlike as the channels were.
    static float balanced(float share) {
        share = std::max(share, 1e-3F);
        return std::cbrt(share * share);
    }

    template <class Use>
    void for_each_channel(const Use& use) const {
        for (const int storage : storages_)
            for (std::size_t c = 0; c < ranges_[index(storage)]->low.size(); ++c)
                use(storage, c, same_.find(first_[index(storage)] + c));
    }

    std::vector<int> storages_;
    std::vector<const Range*> ranges_;  // by storage
    std::vector<std::size_t> first_;    // by storage: its first channel among those of all
    Sets same_{0};                      // of channels: the same integers
    Sets alike_;                        // of storages: of one format
    std::vector<int> members_;          // of those sets
    std::vector<bool> needs_zero_, is_plain_, is_signed_;
};

}  // namespace

bool copies_integers(Op op) {
    return op == Op::concat || op == Op::max_pool || op == Op::average_pool;
}

std::vector<ChannelFormat> choose_formats(const Fusion& fusion, const Ranges& ranges,
                                          const Wiring& wiring) {
    return Chooser(fusion, ranges, wiring).choose();
}

}  // namespace nanoatlas::nn
