// Stages without parameters.
#include "nn/stage.hpp"

namespace nanoatlas::nn {
namespace {

/// The stages whose gradient, if any reader led one back, goes to their inputs.
class SimpleStage : public Stage {
  public:
    SimpleStage(const Group& group, Wiring& wiring)
        : group_(group), image_(wiring.image(group.output)), y_(wiring.value(group.output)) {
        for (const int input : group.inputs) {
            x_.push_back(wiring.value(input));
            input_images_.push_back(wiring.image(input));
        }
        dx_.assign(x_.size(), -1);
    }

    void wire_backward(Wiring& wiring) override {
        if (!wiring.wants_gradient(group_.output)) return;
        dy_ = wiring.incoming(group_.output, group_.activation);
        if (dy_.parts.empty()) return;
        for (std::size_t i = 0; i < x_.size(); ++i)
            if (wiring.wants_gradient(group_.inputs[i])) wire_gradient(wiring, i);
    }

    void backward(const Run& run) override {
        if (dy_.parts.empty()) return;
        const void* dy = dy_.collect(run);
        for (std::size_t i = 0; i < x_.size(); ++i)
            if (dx_[i] >= 0) lead_back(run, dy, i);
    }

  protected:
    virtual void wire_gradient(Wiring& wiring, std::size_t i) {
        dx_[i] = wiring.add_gradient(group_.inputs[i]);
    }
    virtual void lead_back(const Run& run, const void* dy, std::size_t i) = 0;

    Group group_;
    kernels::ImageShape image_;
    std::vector<kernels::ImageShape> input_images_;
    std::vector<int> x_, dx_;
    int y_;
    Incoming dy_;
};

/// Additions, and activations that stand alone: the gradient is the same for each input.
class AddStage final : public SimpleStage {
  public:
    using SimpleStage::SimpleStage;

    void forward(const Run& run) override {
        std::vector<const void*> parts;
        for (const int x : x_) parts.push_back(run.at(x));
        run.backend.add(parts, group_.activation, image_.elements(), run.at(y_));
    }

  protected:
    void wire_gradient(Wiring& wiring, std::size_t i) override {
        wiring.share_gradient(group_.inputs[i], dy_.sum, dy_.sum_is_shared || x_.size() > 1);
    }
    void lead_back(const Run&, const void*, std::size_t) override {}
};

/// The way back reads the input once more: the slope is no function of the output.
class GeluStage final : public SimpleStage {
  public:
    using SimpleStage::SimpleStage;

    void forward(const Run& run) override {
        run.backend.gelu(run.at(x_[0]), image_.elements(), run.at(y_));
    }

  protected:
    void wire_gradient(Wiring& wiring, std::size_t i) override {
        wiring.value(group_.inputs[i]);
        SimpleStage::wire_gradient(wiring, i);
    }
    void lead_back(const Run& run, const void* dy, std::size_t) override {
        run.backend.gelu_backward(dy, run.at(x_[0]), image_.elements(), run.at(dx_[0]));
    }
};

class PoolStage final : public SimpleStage {
  public:
    PoolStage(const Group& group, Wiring& wiring) : SimpleStage(group, wiring) {
        auto shape = pool_shape(group, wiring);
        shape.training = wiring.wants_gradient(group.inputs[0]);
        if (image_.samples > 0) pooling_ = wiring.backend().pooling(shape);
    }

    void forward(const Run& run) override { pooling_->forward(run.at(x_[0]), run.at(y_)); }

  protected:
    void lead_back(const Run& run, const void* dy, std::size_t) override {
        pooling_->backward(dy, run.at(dx_[0]));
    }

  private:
    std::unique_ptr<kernels::Pooling> pooling_;
};

class AdaptiveAverageStage final : public SimpleStage {
  public:
    using SimpleStage::SimpleStage;

    void forward(const Run& run) override {
        run.backend.adaptive_average(run.at(x_[0]), input_images_[0], image_, run.at(y_));
    }

  protected:
    void lead_back(const Run& run, const void* dy, std::size_t) override {
        run.backend.adaptive_average_backward(dy, input_images_[0], image_, run.at(dx_[0]));
    }
};

class ConcatStage final : public SimpleStage {
  public:
    ConcatStage(const Group& group, Wiring& wiring) : SimpleStage(group, wiring) {
        std::int64_t first = 0;
        for (const auto& input : input_images_) {
            first_.push_back(first);
            first += input.channels;
        }
    }

    void forward(const Run& run) override {
        for (std::size_t i = 0; i < x_.size(); ++i) {
            const auto channels = input_images_[i].channels;
            run.backend.copy_channels(run.at(x_[i]), channels, 0, run.at(y_), image_.channels,
                                      first_[i], channels, image_.rows());
        }
    }

  protected:
    void lead_back(const Run& run, const void* dy, std::size_t i) override {
        const auto channels = input_images_[i].channels;
        run.backend.copy_channels(dy, image_.channels, first_[i], run.at(dx_[i]), channels, 0,
                                  channels, image_.rows());
    }

  private:
    std::vector<std::int64_t> first_;  // by input: its first channel in the output
};

class PadChannelsStage final : public SimpleStage {
  public:
    PadChannelsStage(const Group& group, Wiring& wiring)
        : SimpleStage(group, wiring),
          padding_(std::get<ChannelPadding>(wiring.node(group.first).attributes)) {
        if (image_.samples == 0) return;
        zeros_ = wiring.backend().allocate(wiring.bytes(group.output));
        const std::vector<float> zeros(static_cast<std::size_t>(image_.elements()), 0.0F);
        wiring.backend().import_images(zeros.data(), image_, zeros_.get());
    }

    void forward(const Run& run) override {
        const auto channels = input_images_[0].channels;
        fill(run, zeros_.get(), image_.channels, 0, padding_.before);
        fill(run, run.at(x_[0]), channels, padding_.before, channels);
        fill(run, zeros_.get(), image_.channels, padding_.before + channels, padding_.behind);
    }

  protected:
    void lead_back(const Run& run, const void* dy, std::size_t) override {
        const auto channels = input_images_[0].channels;
        run.backend.copy_channels(dy, image_.channels, padding_.before, run.at(dx_[0]), channels, 0,
                                  channels, image_.rows());
    }

  private:
    /// The output's channels [first, first + channels) become the source's first ones.
    void fill(const Run& run, const void* from, std::int64_t from_channels, std::int64_t first,
              std::int64_t channels) {
        if (channels > 0)
            run.backend.copy_channels(from, from_channels, 0, run.at(y_), image_.channels, first,
                                      channels, image_.rows());
    }

    ChannelPadding padding_;
    kernels::Memory zeros_;  // shaped as the output
};

/// The same values, a row being an image now.
class UnflattenStage final : public SimpleStage {
  public:
    using SimpleStage::SimpleStage;

    void forward(const Run& run) override { copy(run, run.at(x_[0]), run.at(y_)); }

  protected:
    void lead_back(const Run& run, const void* dy, std::size_t) override {
        copy(run, dy, run.at(dx_[0]));
    }

  private:
    void copy(const Run& run, const void* from, void* to) const {
        const auto each = image_.elements() / image_.samples;
        run.backend.copy_channels(from, each, 0, to, each, 0, each, image_.samples);
    }
};

class DropoutStage final : public SimpleStage {
  public:
    DropoutStage(const Group& group, Wiring& wiring)
        : SimpleStage(group, wiring),
          node_(static_cast<std::uint64_t>(group.first)),
          probability_(std::get<Dropout>(wiring.node(group.first).attributes).probability) {}

    void forward(const Run& run) override {
        run.backend.dropout(run.at(x_[0]), image_, key(run), run.at(y_));
    }

  protected:
    void lead_back(const Run& run, const void* dy, std::size_t) override {
        run.backend.dropout(dy, image_, key(run), run.at(dx_[0]));
    }

  private:
    kernels::DropoutKey key(const Run& run) const {
        return {run.dropout_stream + node_, run.first_sample, probability_};
    }

    std::uint64_t node_;
    double probability_;
};

}  // namespace

kernels::PoolShape pool_shape(const Group& group, const Wiring& wiring) {
    const auto& node = wiring.node(group.first);
    const auto& pool = std::get<Pool>(node.attributes);
    const auto& padding = pool.padding;
    return {.input = wiring.image(group.inputs[0]),
            .output = wiring.image(group.output),
            .window = {pool.kernel.height, pool.kernel.width, pool.stride.height, pool.stride.width,
                       padding.top, padding.left, padding.bottom, padding.right},
            .kind = node.op == Op::max_pool ? kernels::PoolKind::max : kernels::PoolKind::average};
}

std::unique_ptr<Stage> make_stage(const Group& group, Wiring& wiring) {
    switch (wiring.node(group.first).op) {
        case Op::convolution:
        case Op::linear:
            return make_convolution_stage(group, wiring);
        case Op::batch_norm:
            return make_norm_stage(group, wiring);
        case Op::layer_norm:
            return make_layer_norm_stage(group, wiring);
        case Op::layer_scale:
        case Op::stochastic_depth:
            return make_scale_stage(group, wiring);
        case Op::gelu:
            return std::make_unique<GeluStage>(group, wiring);
        case Op::max_pool:
        case Op::average_pool:
            return std::make_unique<PoolStage>(group, wiring);
        case Op::adaptive_average_pool:
            return std::make_unique<AdaptiveAverageStage>(group, wiring);
        case Op::concat:
            return std::make_unique<ConcatStage>(group, wiring);
        case Op::pad_channels:
            return std::make_unique<PadChannelsStage>(group, wiring);
        case Op::dropout:
            return std::make_unique<DropoutStage>(group, wiring);
        case Op::unflatten:
            return std::make_unique<UnflattenStage>(group, wiring);
        case Op::add:
        case Op::relu:
        case Op::relu6:
        case Op::input:
        case Op::flatten:
            break;
    }
    return std::make_unique<AddStage>(group, wiring);
}

}  // namespace nanoatlas::nn
