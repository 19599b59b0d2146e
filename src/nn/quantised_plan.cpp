#include "nn/quantised_plan.hpp"

#include <algorithm>

#include "nn/quantised_stages.hpp"

namespace nanoatlas::nn {
namespace {

std::size_t index(int node) {
    return static_cast<std::size_t>(node);
}

bool is_norm(const Group& group, Op op) {
    return op == Op::batch_norm && group.addend < 0;
}

/// Of one sample; 0 for what is no convolution.
std::int64_t multiplications(const Node& node, const Wiring& wiring) {
    const auto input = [&] { return wiring.node(node.inputs[0]).shape; };
    if (const auto* options = std::get_if<Convolution>(&node.attributes))
        return node.shape.elements() * input().channels / options->groups * options->kernel.height *
               options->kernel.width;
    return node.op == Op::linear ? node.shape.elements() * input().elements() : 0;
}

/// Makes the stages in the order of the groups, and those that convert values in between.
class Quantiser {
  public:
    Quantiser(const Fusion& fusion, const std::vector<bool>& kept, const Quantisation& quantisation,
              Wiring& wiring)
        : fusion_(fusion),
          wiring_(wiring),
          quantisation_(quantisation),
          backend_(*quantisation.backend),
          on_integers_(computed_on_integers(fusion, kept, wiring)),
          integers_(kept.size(), -1),
          in_f32_(kept.size(), false),
          kept_(kept.size(), false),
          added_(kept.size(), false),
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

    void note_readers(const Group& group) {
        if (group.addend >= 0) added_[index(group.addend)] = added_[index(group.output)] = true;
        if (!on_integers_[index(group.first)]) return;
        for (const int input : group.inputs) read_as_integers_[index(input)] = true;
    }

    bool has_integers(int storage) const { return integers_[index(storage)] >= 0; }

    /// Whether what it computes from integers is better left in f32.
    bool puts_out_f32(const Group& group) const {
        const auto output = index(group.output);
        return !copies_integers(op(group)) &&
               (kept_[output] || added_[output] || !read_as_integers_[output]);
    }

    void add(const Group& group) {
        if (!on_integers_[index(group.first)]) return add_f32(group);
        const bool to_f32 = puts_out_f32(group);
        for (const int input : group.inputs) want_integers(input);
        if (group.addend >= 0) want_f32(group.addend);
        std::vector<Operand> x;
        for (const int input : group.inputs) x.push_back(integers(input));
        Operand addend;
        if (group.addend >= 0) addend = f32(group.addend);
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
            case Op::concat:
                return make_quantised_concat_stage(x, y, backend_);
            default:
                return make_quantised_convolution_stage(group,
                                                        quantisation_.weights.at(group.first), x[0],
                                                        addend, y, wiring_, backend_);
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
        return {buffer, &quantisation_.formats[index(storage)], image};
    }
    Operand f32(int storage) {
        in_f32_[index(storage)] = true;
        static const ChannelFormat format;
        return {wiring_.value(storage), &format, wiring_.image(storage)};
    }

    void append(std::unique_ptr<Stage> stage) {
        stages_.push_back({node_, std::move(stage)});
        ++wiring_.time;
    }

    const Fusion& fusion_;
    Wiring& wiring_;
    const Quantisation& quantisation_;
    kernels::QuantisedBackend& backend_;
    const std::vector<bool> on_integers_;  // by Group::first
    std::vector<int> integers_;            // by storage: the buffer of its integers, -1 without
    std::vector<bool> in_f32_, kept_, added_, read_as_integers_;
    std::vector<PlannedStage> stages_;
    int node_ = -1;  // of the group that is being added
};

}  // namespace

std::vector<bool> computed_on_integers(const Fusion& fusion, const std::vector<bool>& kept,
                                       const Wiring& wiring) {
    std::int64_t all = 0, before = 0;
    for (const auto& group : fusion.groups)
        all += multiplications(wiring.node(group.first), wiring);
    std::vector<bool> in_f32(fusion.storage.size(), false);
    for (std::size_t node = 0; node < kept.size(); ++node)
        if (kept[node]) in_f32[index(fusion.storage[node])] = true;
    std::vector<bool> on_integers(fusion.storage.size(), false), has_integers = on_integers;
    for (const auto& group : fusion.groups) {
        const auto& node = wiring.node(group.first);
        before += multiplications(node, wiring);
        if (20 * before <= all) continue;
        const bool any = std::ranges::any_of(group.inputs,
                                             [&](int input) { return has_integers[index(input)]; });
        const bool follows =
            node.op == Op::linear || is_norm(group, node.op) || copies_integers(node.op);
        if (node.op != Op::convolution && !(any && follows)) continue;
        on_integers[index(group.first)] = true;
        has_integers[index(group.output)] =
            copies_integers(node.op) || !in_f32[index(group.output)];
        for (const int input : group.inputs) has_integers[index(input)] = true;
    }
    return on_integers;
}

std::vector<PlannedStage> make_quantised_stages(const Fusion& fusion, const std::vector<bool>& kept,
                                                const Quantisation& quantisation, Wiring& wiring) {
    return Quantiser(fusion, kept, quantisation, wiring).make();
}

}  // namespace nanoatlas::nn
