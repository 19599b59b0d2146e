// Convolutions by oneDNN's direct algorithms; a kernel that covers its whole input (a linear layer)
// by its inner product.
#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "kernels/onednn/engine.hpp"
#include "kernels/onednn/weight_gradient.hpp"

namespace nanoatlas::kernels::onednn {
namespace {

using dnnl::memory;
using dnnl::prop_kind;
using Tag = memory::format_tag;
using Type = memory::data_type;

bool covers_input(const ConvolutionShape& shape) {
    const auto& window = shape.window;
    return shape.groups == 1 && window.height == shape.input.height &&
           window.width == shape.input.width && shape.output.height == 1 &&
           shape.output.width == 1 && window.top == 0 && window.left == 0 && window.bottom == 0 &&
           window.right == 0;
}

/// One direction of the operation.
struct Pass {
    dnnl::primitive primitive;
    memory::desc weights;  ///< as it wants them, or puts them out
    memory::desc scratch;
};

/// Makes the three passes of a shape; the layout of weights is oneDNN's choice.
class PassMaker {
  public:
    PassMaker(const ConvolutionShape& shape, Engine& engine)
        : shape_(shape),
          engine_(engine),
          linear_(covers_input(shape)),
          x_(engine.describe(shape.input)),
          y_(linear_ ? memory::desc({shape.output.samples, shape.output.channels},
                                    engine.data_type(), Tag::nc)
                     : engine.describe(shape.output)) {
        if (shape.bias) bias_ = {{shape.output.channels}, Type::f32, Tag::x};
    }

    /// Weights in the caller's order.
    memory::desc given_weights() const {
        return {weight_dims(), Type::f32, shape_.groups > 1 ? Tag::goihw : Tag::oihw};
    }

    Pass forward() const {
        auto attributes = engine_.attributes();
        attributes.set_post_ops(post_ops());
        const auto kind =
            shape_.training ? prop_kind::forward_training : prop_kind::forward_inference;
        if (linear_) return finish<dnnl::inner_product_forward>(linear_forward(kind, attributes));
        return finish<dnnl::convolution_forward>(convolution_forward(kind, attributes));
    }

    Pass backward_data() const {
        const auto attributes = engine_.attributes();
        const auto weights = any_weights(engine_.data_type());
        if (linear_)
            return finish<dnnl::inner_product_backward_data>(
                {engine_.engine(), x_, weights, y_,
                 linear_forward(prop_kind::forward_training, attributes), attributes});
        return finish<dnnl::convolution_backward_data>(
            {engine_.engine(), dnnl::algorithm::convolution_direct, x_, weights, y_, strides(),
             dilations(), padding_before(), padding_behind(),
             convolution_forward(prop_kind::forward_training, attributes), attributes});
    }

    Pass backward_weights() const {
        const auto attributes = engine_.attributes();
        const auto weights = any_weights(Type::f32);
        if (linear_) {
            const dnnl::inner_product_backward_weights::primitive_desc made(
                engine_.engine(), x_, weights, bias_, y_,
                linear_forward(prop_kind::forward_training, attributes), attributes);
            return finish<dnnl::inner_product_backward_weights>(made, made.diff_weights_desc());
        }
        const dnnl::convolution_backward_weights::primitive_desc made(
            engine_.engine(), dnnl::algorithm::convolution_direct, x_, weights, bias_, y_,
            strides(), dilations(), padding_before(), padding_behind(),
            convolution_forward(prop_kind::forward_training, attributes), attributes);
        return finish<dnnl::convolution_backward_weights>(made, made.diff_weights_desc());
    }

  private:
    template <class Primitive>
    Pass finish(const typename Primitive::primitive_desc& made, const memory::desc& weights) const {
        engine_.reserve_scratch(made.scratchpad_desc());
        return {Primitive(made), weights, made.scratchpad_desc()};
    }
    template <class Primitive>
    Pass finish(const typename Primitive::primitive_desc& made) const {
        return finish<Primitive>(made, made.weights_desc());
    }

    dnnl::inner_product_forward::primitive_desc linear_forward(
        prop_kind kind, const dnnl::primitive_attr& attributes) const {
        return {engine_.engine(), kind, x_, any_weights(engine_.data_type()), bias_, y_,
                attributes};
    }
    dnnl::convolution_forward::primitive_desc convolution_forward(
        prop_kind kind, const dnnl::primitive_attr& attributes) const {
        return {engine_.engine(),
                kind,
                dnnl::algorithm::convolution_direct,
                x_,
                any_weights(engine_.data_type()),
                bias_,
                y_,
                strides(),
                dilations(),
                padding_before(),
                padding_behind(),
                attributes};
    }

    dnnl::post_ops post_ops() const {
        dnnl::post_ops operations;
        if (shape_.addend) operations.append_binary(dnnl::algorithm::binary_add, y_);
        if (shape_.activation == Activation::relu)
            operations.append_eltwise(dnnl::algorithm::eltwise_relu, 0, 0);
        if (shape_.activation == Activation::relu6)
            operations.append_eltwise(dnnl::algorithm::eltwise_clip, 0, 6);
        if (shape_.activation == Activation::gelu)
            operations.append_eltwise(dnnl::algorithm::eltwise_gelu_erf, 0, 0);
        return operations;
    }

    memory::dims weight_dims() const {
        const auto groups = shape_.groups;
        memory::dims dims{shape_.output.channels / groups, shape_.input.channels / groups,
                          shape_.window.height, shape_.window.width};
        if (groups > 1) dims.insert(dims.begin(), groups);
        return dims;
    }
    memory::desc any_weights(Type type) const { return {weight_dims(), type, Tag::any}; }
    memory::dims strides() const { return {shape_.window.stride_y, shape_.window.stride_x}; }
    memory::dims dilations() const {
        return {shape_.window.dilation_y - 1, shape_.window.dilation_x - 1};
    }
    memory::dims padding_before() const { return {shape_.window.top, shape_.window.left}; }
    memory::dims padding_behind() const { return {shape_.window.bottom, shape_.window.right}; }

    const ConvolutionShape& shape_;
    Engine& engine_;
    bool linear_;
    memory::desc x_, y_, bias_;
};

/// A tensor of weights in a primitive's own layout, and the way there or back.
class PackedWeights {
  public:
    PackedWeights(memory::desc desc, const Engine& engine)
        : desc_(std::move(desc)),
          memory_(allocate_aligned(static_cast<std::int64_t>(desc_.get_size()))),
          engine_(engine) {}

    memory get() const { return engine_.memory(desc_, memory_.get()); }
    void pack(const memory& given) {
        if (!reorder_) reorder_ = dnnl::reorder(given, get());
        run(given, get());
    }
    void unpack(const memory& to) {
        if (!reorder_) reorder_ = dnnl::reorder(get(), to);
        run(get(), to);
    }

  private:
    void run(const memory& from, const memory& to) {
        dnnl::stream stream(engine_.engine());
        reorder_.execute(stream, {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}});
        stream.wait();
    }

    memory::desc desc_;
    Memory memory_;
    const Engine& engine_;
    dnnl::reorder reorder_;
};

class OnednnConvolution final : public Convolution {
  public:
    OnednnConvolution(const ConvolutionShape& shape, std::shared_ptr<Engine> engine)
        : shape_(shape), engine_(std::move(engine)) {
        const PassMaker maker(shape_, *engine_);
        given_ = maker.given_weights();
        forward_ = maker.forward();
        if (shape_.data_gradient) backward_data_ = maker.backward_data();
        if (!shape_.training) return;
        if (!covers_input(shape_) && WeightGradient::suits(shape_, engine_->precision()))
            weight_gradient_.emplace(shape_, engine_);
        else
            backward_weights_ = maker.backward_weights();
    }

    void set_weights(const float* weights, const float* bias) override {
        const auto given = engine_->memory(given_, weights);
        pack(packed_, forward_.weights, given);
        if (shape_.data_gradient && backward_data_.weights != forward_.weights)
            pack(packed_backward_, backward_data_.weights, given);
        if (bias != nullptr) bias_.assign(bias, bias + shape_.output.channels);
    }

    void forward(const void* x, const void* addend, void* y) override {
        std::unordered_map<int, memory> arguments{{DNNL_ARG_SRC, image(shape_.input, x)},
                                                  {DNNL_ARG_WEIGHTS, packed_->get()},
                                                  {DNNL_ARG_DST, output(y)}};
        if (shape_.bias) arguments.emplace(DNNL_ARG_BIAS, bias_memory(bias_.data()));
        if (shape_.addend)
            arguments.emplace(DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1, output(addend));
        engine_->execute(forward_.primitive, forward_.scratch, std::move(arguments));
    }

    void backward_data(const void* dy, void* dx) override {
        const auto& weights = packed_backward_ ? packed_backward_ : packed_;
        engine_->execute(backward_data_.primitive, backward_data_.scratch,
                         {{DNNL_ARG_DIFF_DST, output(dy)},
                          {DNNL_ARG_WEIGHTS, weights->get()},
                          {DNNL_ARG_DIFF_SRC, image(shape_.input, dx)}});
    }

    void backward_weights(const void* x, const void* dy, float* dweights, float* dbias) override {
        if (weight_gradient_) return weight_gradient_->run(x, dy, dweights, dbias);
        const auto wanted = engine_->memory(given_, dweights);
        const bool direct = backward_weights_.weights == given_;
        if (!direct && !gradient_)
            gradient_ = std::make_unique<PackedWeights>(backward_weights_.weights, *engine_);
        std::unordered_map<int, memory> arguments{
            {DNNL_ARG_SRC, image(shape_.input, x)},
            {DNNL_ARG_DIFF_DST, output(dy)},
            {DNNL_ARG_DIFF_WEIGHTS, direct ? wanted : gradient_->get()}};
        if (shape_.bias) arguments.emplace(DNNL_ARG_DIFF_BIAS, bias_memory(dbias));
        engine_->execute(backward_weights_.primitive, backward_weights_.scratch,
                         std::move(arguments));
        if (!direct) gradient_->unpack(wanted);
    }

  private:
    void pack(std::unique_ptr<PackedWeights>& packed, const memory::desc& desc,
              const memory& given) {
        if (!packed) packed = std::make_unique<PackedWeights>(desc, *engine_);
        packed->pack(given);
    }
    memory image(const ImageShape& shape, const void* data) const {
        return engine_->memory(engine_->describe(shape), data);
    }
    memory output(const void* data) const {
        if (!covers_input(shape_)) return image(shape_.output, data);
        return engine_->memory(
            {{shape_.output.samples, shape_.output.channels}, engine_->data_type(), Tag::nc}, data);
    }
    memory bias_memory(const float* data) const {
        return engine_->memory({{shape_.output.channels}, Type::f32, Tag::x}, data);
    }

    ConvolutionShape shape_;
    std::shared_ptr<Engine> engine_;
    memory::desc given_;
    Pass forward_, backward_data_, backward_weights_;
    std::optional<WeightGradient> weight_gradient_;  // instead of backward_weights_
    std::unique_ptr<PackedWeights> packed_, packed_backward_, gradient_;
    std::vector<float> bias_;
};

}  // namespace

std::unique_ptr<Convolution> make_direct(const ConvolutionShape& shape,
                                         std::shared_ptr<Engine> engine) {
    return std::make_unique<OnednnConvolution>(shape, std::move(engine));
}

}  // namespace nanoatlas::kernels::onednn
