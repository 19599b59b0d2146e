// Convolutions on 8-bit integers by oneDNN.
#include <cstring>
#include <utility>
#include <vector>

#include "kernels/onednn/onednn.hpp"
#include "kernels/onednn/quantised_engine.hpp"

namespace nanoatlas::kernels::onednn {
namespace {

using dnnl::memory;
using Tag = memory::format_tag;
using Type = memory::data_type;

bool is_depthwise(const ConvolutionShape& shape) {
    return shape.groups > 1 && shape.groups == shape.input.channels &&
           shape.groups == shape.output.channels;
}

class OnednnQuantisedConvolution final : public QuantisedConvolution {
  public:
    OnednnQuantisedConvolution(const QuantisedConvolutionShape& shape,
                               std::shared_ptr<Engine> engine)
        : quantised_(shape), engine_(std::move(engine)) {
        doubled_ = !has_vnni() && shape.x.element == Element::s8;
        summed_ = shape_.addend && is_depthwise(shape_);
        const auto made = describe();
        primitive_ = dnnl::convolution_forward(made);
        scratch_ = made.scratchpad_desc();
        engine_->reserve_scratch(scratch_);
        packed_desc_ = made.weights_desc();
        packed_ = allocate_aligned(static_cast<std::int64_t>(packed_desc_.get_size()));
    }

    void set_weights(const QuantisedWeights& weights, const float* bias) override {
        scales_ = weights.scales;
        auto values = weights.values;
        if (doubled_) {
            for (auto& scale : scales_) scale /= 2;
            for (auto& value : values) value = static_cast<std::int8_t>(2 * value);
        }
        if (bias != nullptr) bias_.assign(bias, bias + shape_.output.channels);
        auto given = engine_->memory(given_weights(), values.data());
        auto packed = engine_->memory(packed_desc_, packed_.get());
        dnnl::stream stream(engine_->engine());
        dnnl::reorder(given, packed).execute(stream, given, packed);
        stream.wait();
    }

    void forward(const void* x, const void* addend, void* y) override {
        std::unordered_map<int, memory> arguments{
            {DNNL_ARG_SRC, engine_->memory(image(shape_.input, quantised_.x), x)},
            {DNNL_ARG_WEIGHTS, engine_->memory(packed_desc_, packed_.get())},
            {DNNL_ARG_DST, engine_->memory(image(shape_.output, quantised_.y), y)},
            {DNNL_ARG_ATTR_SCALES | DNNL_ARG_SRC, vector(&quantised_.x.scale, 1)},
            {DNNL_ARG_ATTR_SCALES | DNNL_ARG_WEIGHTS,
             vector(scales_.data(), shape_.output.channels)}};
        if (shape_.bias)
            arguments.emplace(DNNL_ARG_BIAS, vector(bias_.data(), shape_.output.channels));
        if (summed_)
            std::memcpy(y, addend,
                        sizeof(float) * static_cast<std::size_t>(shape_.output.elements()));
        else if (shape_.addend)
            arguments.emplace(DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1,
                              engine_->memory(image(shape_.output, {}), addend));
        if (quantised_.y.is_integer())
            arguments.emplace(DNNL_ARG_ATTR_SCALES | DNNL_ARG_DST, vector(&quantised_.y.scale, 1));
        engine_->execute(primitive_, scratch_, std::move(arguments));
    }

  private:
    static memory::desc image(const ImageShape& shape, const Format& format) {
        return Engine::describe(shape, data_type(format.element));
    }
    memory vector(const float* values, std::int64_t count) const {
        return engine_->memory({{count}, Type::f32, Tag::x}, values);
    }

    memory::dims weight_dims() const {
        const auto groups = shape_.groups;
        memory::dims dims{shape_.output.channels / groups, shape_.input.channels / groups,
                          shape_.window.height, shape_.window.width};
        if (groups > 1) dims.insert(dims.begin(), groups);
        return dims;
    }
    memory::desc given_weights() const {
        return {weight_dims(), Type::s8, shape_.groups > 1 ? Tag::goihw : Tag::oihw};
    }

    dnnl::convolution_forward::primitive_desc describe() const {
        const auto& window = shape_.window;
        memory::desc bias;
        if (shape_.bias) bias = {{shape_.output.channels}, Type::f32, Tag::x};
        return {engine_->engine(),
                dnnl::prop_kind::forward_inference,
                dnnl::algorithm::convolution_direct,
                image(shape_.input, quantised_.x),
                {weight_dims(), Type::s8, Tag::any},
                bias,
                image(shape_.output, quantised_.y),
                {window.stride_y, window.stride_x},
                {window.dilation_y - 1, window.dilation_x - 1},
                {window.top, window.left},
                {window.bottom, window.right},
                attributes()};
    }

    dnnl::primitive_attr attributes() const {
        auto attributes = engine_->attributes();
        attributes.set_scales_mask(DNNL_ARG_SRC, 0);
        attributes.set_scales_mask(DNNL_ARG_WEIGHTS, shape_.groups > 1 ? 3 : 1);
        if (quantised_.y.is_integer()) attributes.set_scales_mask(DNNL_ARG_DST, 0);
        dnnl::post_ops operations;
        if (summed_)
            operations.append_sum();
        else if (shape_.addend)
            operations.append_binary(dnnl::algorithm::binary_add, image(shape_.output, {}));
        if (shape_.activation == Activation::relu)
            operations.append_eltwise(dnnl::algorithm::eltwise_relu, 0, 0);
        if (shape_.activation == Activation::relu6)
            operations.append_eltwise(dnnl::algorithm::eltwise_clip, 0, 6);
        if (shape_.activation == Activation::gelu)
            operations.append_eltwise(dnnl::algorithm::eltwise_gelu_erf, 0, 0);
        attributes.set_post_ops(operations);
        return attributes;
    }

    QuantisedConvolutionShape quantised_;
    const ConvolutionShape& shape_ = quantised_.shape;
    std::shared_ptr<Engine> engine_;
    /// For signed images and without VNNI oneDNN halves the weights while it packs them.
    bool doubled_ = false;
    /// The addend is copied to y and summed up there: oneDNN's depthwise kernels misread another
    /// tensor's last channels where those fill no register.
    bool summed_ = false;
    dnnl::primitive primitive_;
    memory::desc scratch_, packed_desc_;
    Memory packed_;
    std::vector<float> scales_, bias_;
};

}  // namespace

WeightBounds weight_bounds(const ConvolutionShape& shape, Element x) {
    if (has_vnni()) return {};
    // Signed images are moved up to u8, and what is doubled must be s8.
    if (x == Element::s8) return {.single = 63, .pair = 126};
    if (is_depthwise(shape)) return {};  // adds no pairs
    // 255 * 128 is the last that 16 bits hold. Channels of an odd number may be paired otherwise.
    const bool even = shape.input.channels / shape.groups % 2 == 0;
    return {.single = even ? 127 : 64, .pair = 128};
}

std::unique_ptr<QuantisedConvolution> make_quantised_convolution(
    const QuantisedConvolutionShape& shape, std::shared_ptr<Engine> engine) {
    return std::make_unique<OnednnQuantisedConvolution>(shape, std::move(engine));
}

}  // namespace nanoatlas::kernels::onednn
