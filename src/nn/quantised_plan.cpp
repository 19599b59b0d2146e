#include "nn/quantised_plan.hpp"

#include <algorithm>
#include <numeric>
#include <optional>

#include "base/check.hpp"
#include "nn/quantised_stages.hpp"

namespace nanoatlas::nn {
namespace {

using kernels::Format;

std::size_t index(int node) {
    return static_cast<std::size_t>(node);
}

bool joins_formats(Op op) {
    return op == Op::concat || op == Op::max_pool || op == Op::average_pool;
}

/// How each storage's value is stored as integers: alike where a concatenation or a pooling, which
/// change no element, join them.
class Formats {
  public:
    Formats(const Fusion& fusion, const Ranges& ranges, const Wiring& wiring)
        : representatives_(fusion.storage.size()) {
        std::iota(representatives_.begin(), representatives_.end(), 0);
        for (const auto& group : fusion.groups)
            if (joins_formats(wiring.node(group.first).op))
                for (const int input : group.inputs)
                    representatives_[index(find(input))] = find(group.output);
        std::vector<std::optional<Range>> joint(representatives_.size());
        include(0, ranges, wiring, joint);
        for (const auto& group : fusion.groups) include(group.output, ranges, wiring, joint);
        for (const auto& range : joint) formats_.push_back(range ? format_of(*range) : Format{});
    }

    const Format& of(int storage) const { return formats_[index(find(storage))]; }

  private:
    int find(int storage) const {
        while (representatives_[index(storage)] != storage)
            storage = representatives_[index(storage)];
        return storage;
    }

    void include(int storage, const Ranges& ranges, const Wiring& wiring,
                 std::vector<std::optional<Range>>& joint) const {
        const auto& name = wiring.node(storage).name;
        const auto found = ranges.find(name);
        VALIDATE(found != ranges.end(),
                 "the values of layer '{}' have no range (the network was calibrated with other "
                 "layers to keep); calibrate this network",
                 name);
        auto& range = joint[index(find(storage))];
        if (!range) range.emplace(found->second);
        range->limit = std::max(range->limit, found->second.limit);
        range->is_signed = range->is_signed || found->second.is_signed;
    }

    static Format format_of(const Range& range) {
        return {range.is_signed ? kernels::Element::s8 : kernels::Element::u8,
                static_cast<float>(range.limit / (range.is_signed ? 127 : 255))};
    }

    std::vector<int> representatives_;
    std::vector<Format> formats_;  // by storage that represents others
};

/// Makes the stages in the order of the groups, and those that convert values in between.
class Quantiser {
  public:
    Quantiser(const Fusion& fusion, const std::vector<bool>& kept, const Quantisation& quantisation,
              Wiring& wiring)
        : fusion_(fusion),
          wiring_(wiring),
          backend_(*quantisation.backend),
          formats_(fusion, quantisation.ranges, wiring),
          integers_(kept.size(), -1),
          in_f32_(kept.size(), false),
          kept_(kept.size(), false),
          read_as_integers_(kept.size(), false) {
        in_f32_[0] = true;
        for (std::size_t node = 0; node < kept.size(); ++node)
            if (kept[node]) kept_[index(fusion.storage[node])] = true;
        for (const auto& group : fusion.groups) note_readers(group);
    }

    std::vector<PlannedStage> make() {
        for (const auto& group : fusion_.groups) {
            node_ = group.first;
            add(group);
            if (kept_[index(group.output)]) want_f32(group.output);
        }
        return std::move(stages_);
    }

  private:
    Op op(const Group& group) const { return wiring_.node(group.first).op; }
    bool is_norm(const Group& group) const {
        return op(group) == Op::batch_norm && group.addend < 0;
    }

    void note_readers(const Group& group) {
        const bool convolves = op(group) == Op::convolution || op(group) == Op::linear;
        if (!convolves && !is_norm(group) && !joins_formats(op(group)) &&
            op(group) != Op::adaptive_average_pool)
            return;
        for (const int input : group.inputs) read_as_integers_[index(input)] = true;
        if (group.addend >= 0) read_as_integers_[index(group.addend)] = true;
    }

    bool has_integers(int storage) const { return integers_[index(storage)] >= 0; }

    /// Whether the group is computed on integers.
    bool takes_integers(const Group& group) const {
        if (op(group) == Op::convolution) return true;
        const bool any =
            std::ranges::any_of(group.inputs, [this](int input) { return has_integers(input); });
        return any && (op(group) == Op::linear || is_norm(group) || joins_formats(op(group)) ||
                       op(group) == Op::adaptive_average_pool);
    }

    /// Whether what it computes from integers is better left in f32.
    bool puts_out_f32(const Group& group) const {
        if (op(group) == Op::adaptive_average_pool) return true;
        if (joins_formats(op(group))) return false;
        return kept_[index(group.output)] || !read_as_integers_[index(group.output)];
    }

    void add(const Group& group) {
        if (!takes_integers(group)) return add_f32(group);
        const bool to_f32 = puts_out_f32(group);
        for (const int input : group.inputs) want_integers(input);
        if (group.addend >= 0) to_f32 ? want_f32(group.addend) : want_integers(group.addend);
        std::vector<Operand> x;
        for (const int input : group.inputs) x.push_back(integers(input));
        Operand addend;
        if (group.addend >= 0) addend = to_f32 ? f32(group.addend) : integers(group.addend);
        const auto y = to_f32 ? f32(group.output) : integers(group.output);
        append(make_integer_stage(group, x, addend, y));
    }

    std::unique_ptr<Stage> make_integer_stage(const Group& group, const std::vector<Operand>& x,
                                              const Operand& addend, const Operand& y) {
        switch (op(group)) {
            case Op::batch_norm:
                return make_quantised_norm_stage(group, x[0], y, wiring_, backend_);
            case Op::max_pool:
            case Op::average_pool:
                return make_quantised_pool_stage(group, x[0], y, wiring_, backend_);
            case Op::adaptive_average_pool:
                return make_quantised_average_stage(x[0], y, backend_);
            case Op::concat:
                return make_quantised_concat_stage(x, y, backend_);
            default:
                return make_quantised_convolution_stage(group, x[0], addend, y, wiring_, backend_);
        }
    }

    void add_f32(const Group& group) {
        for (const int input : group.inputs) want_f32(input);
        if (group.addend >= 0) want_f32(group.addend);
        auto stage = make_stage(group, wiring_);
        in_f32_[index(group.output)] = true;
        append(std::move(stage));
    }

    void want_integers(int storage) {
        if (has_integers(storage)) return;
        const auto x = f32(storage), y = integers(storage);
        append(make_conversion_stage(x, y, backend_));
    }

    void want_f32(int storage) {
        if (in_f32_[index(storage)]) return;
        const auto x = integers(storage), y = f32(storage);
        append(make_conversion_stage(x, y, backend_));
    }

    /// In use now; made when it is first asked for.
    Operand integers(int storage) {
        int& buffer = integers_[index(storage)];
        const auto image = wiring_.image(storage);
        if (buffer < 0) buffer = wiring_.arena().add(image.elements(), wiring_.time);
        wiring_.arena().use(buffer, wiring_.time);
        return {buffer, formats_.of(storage), image};
    }
    Operand f32(int storage) {
        in_f32_[index(storage)] = true;
        return {wiring_.value(storage), {}, wiring_.image(storage)};
    }

    void append(std::unique_ptr<Stage> stage) {
        stages_.push_back({node_, std::move(stage)});
        ++wiring_.time;
    }

    const Fusion& fusion_;
    Wiring& wiring_;
    kernels::QuantisedBackend& backend_;
    Formats formats_;
    std::vector<int> integers_;  // by storage: the buffer of its integers, -1 without
    std::vector<bool> in_f32_, kept_, read_as_integers_;
    std::vector<PlannedStage> stages_;
    int node_ = -1;  // of the group that is being added
};

}  // namespace

std::vector<PlannedStage> make_quantised_stages(const Fusion& fusion, const std::vector<bool>& kept,
                                                const Quantisation& quantisation, Wiring& wiring) {
    return Quantiser(fusion, kept, quantisation, wiring).make();
}

}  // namespace nanoatlas::nn
