#include <vector>

#include "kernels/cudnn/primitives.hpp"

namespace nanoatlas::kernels::cudnn {
namespace {

std::int64_t weight_count(const ConvolutionShape& shape) {
    return shape.output.channels * (shape.input.channels / shape.groups) * shape.window.height *
           shape.window.width;
}

/// Weights are packed in the order of the given shape, and read in that of the flattened one: for a
/// linear layer these are the same memory.
template <class T>
class CudnnConvolution final : public Convolution {
  public:
    CudnnConvolution(const ConvolutionShape& shape, DevicePointer device)
        : given_(shape),
          shape_(flattened(shape)),
          device_(std::move(device)),
          weights_(weight_count(shape), *device_),
          task_(reserve_task<T>(shape_.output.rows(), shape_.output.channels, *device_)) {
        if (shape.bias) bias_ = {shape.output.channels, *device_};
        forward_ = route(Pass::forward);
        if (shape.data_gradient) backward_data_ = route(Pass::backward_data);
        if (shape.training) backward_weights_ = route(Pass::backward_weights);
    }

    void set_weights(const float* weights, const float* bias) override {
        set_folded_weights(weights, bias, {});
    }

    void set_folded_weights(const float* weights, const float* bias,
                            const Folding& folding) override {
        pack_weights(given_, weights, folding, weights_.get(), device_->stream());
        if (shape_.bias)
            pack_bias(shape_.output.channels, bias, folding, bias_.get(), device_->stream());
    }

    void forward(const void* x, const void* addend, void* y) override {
        if (forward_.fused) {
            std::vector<Binding> tensors{{uid_x, x}, {uid_weights, weights_.get()}, {uid_y, y}};
            if (shape_.bias) tensors.emplace_back(uid_bias, bias_.get());
            if (shape_.addend) tensors.emplace_back(uid_addend, addend);
            return forward_.plan->run(device_->cudnn(), tensors, device_->workspace());
        }
        if (!run(forward_.plan, x, weights_.get(), y, device_->workspace()))
            plain_forward(shape_, typed(x), weights_.get(), typed(y), device_->stream());
        if (has_epilogue(shape_))
            finish_convolution(shape_.bias ? bias_.get() : nullptr, typed(addend),
                               shape_.activation, shape_.output.rows(), shape_.output.channels,
                               typed(y), device_->stream());
    }

    void backward_data(const void* dy, void* dx) override {
        if (!run(backward_data_.plan, dx, weights_.get(), dy, device_->workspace()))
            plain_backward_data(shape_, typed(dy), weights_.get(), typed(dx), device_->stream());
    }

    void backward_weights(const void* x, const void* dy, float* dweights, float* dbias) override {
        auto* const workspace = static_cast<std::byte*>(device_->workspace());
        if (shape_.bias) {
            auto task = task_;
            task.partial = reinterpret_cast<double*>(workspace);
            bias_gradient(task, typed(dy), dbias, device_->stream());
        }
        auto* const packed = reinterpret_cast<T*>(workspace);
        if (!run(backward_weights_.plan, x, packed, dy, workspace + packed_bytes()))
            plain_backward_weights(shape_, typed(x), typed(dy), packed, device_->stream());
        unpack_gradient(given_, packed, dweights, device_->stream());
    }

  private:
    static const T* typed(const void* values) { return static_cast<const T*>(values); }
    static T* typed(void* values) { return static_cast<T*>(values); }

    /// Of the weights' gradient, which stands at the start of the workspace.
    std::int64_t packed_bytes() const {
        constexpr std::int64_t line = 256;
        return (weight_count(shape_) * static_cast<std::int64_t>(sizeof(T)) + line - 1) / line *
               line;
    }

    Route route(Pass pass) {
        auto found =
            choose_route(shape_, device_->precision(), pass,
                         [&](const PlanRequest& request) { return device_->find(request); });
        device_->reserve_workspace((pass == Pass::backward_weights ? packed_bytes() : 0) +
                                   (found.plan ? found.plan->workspace_bytes() : 0));
        return found;
    }

    /// False if there is no plan.
    bool run(const PlanPointer& plan, const void* x, const void* weights, const void* y,
             void* workspace) const {
        if (!plan) return false;
        const Binding tensors[] = {{uid_x, x}, {uid_weights, weights}, {uid_y, y}};
        plan->run(device_->cudnn(), tensors, workspace);
        return true;
    }

    ConvolutionShape given_, shape_;
    DevicePointer device_;
    DeviceArray<T> weights_;
    DeviceArray<float> bias_;
    NormTask task_;
    Route forward_, backward_data_, backward_weights_;
};

}  // namespace

template <class T>
std::unique_ptr<Convolution> make_convolution(const ConvolutionShape& shape, DevicePointer device) {
    return std::make_unique<CudnnConvolution<T>>(shape, std::move(device));
}

template std::unique_ptr<Convolution> make_convolution<float>(const ConvolutionShape&,
                                                              DevicePointer);
template std::unique_ptr<Convolution> make_convolution<__nv_bfloat16>(const ConvolutionShape&,
                                                                      DevicePointer);

}  // namespace nanoatlas::kernels::cudnn
