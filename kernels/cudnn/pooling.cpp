#include "kernels/cudnn/primitives.hpp"

namespace nanoatlas::kernels::cudnn {
namespace {

template <class T>
class CudaPooling final : public Pooling {
  public:
    CudaPooling(const PoolShape& shape, DevicePointer device)
        : shape_(shape), device_(std::move(device)) {
        if (shape.training && shape.kind == PoolKind::max)
            places_ = {shape.output.elements(), *device_};
    }

    void forward(const void* x, void* y) override {
        const auto* from = static_cast<const T*>(x);
        auto* to = static_cast<T*>(y);
        if (shape_.kind == PoolKind::max)
            max_pool(shape_, from, to, places_.get(), device_->stream());
        else
            average_pool(shape_, from, to, device_->stream());
    }

    void backward(const void* dy, void* dx) override {
        const auto* from = static_cast<const T*>(dy);
        auto* to = static_cast<T*>(dx);
        if (shape_.kind == PoolKind::max)
            max_pool_backward(shape_, from, places_.get(), to, device_->stream());
        else
            average_pool_backward(shape_, from, to, device_->stream());
    }

  private:
    PoolShape shape_;
    DevicePointer device_;
    DeviceArray<std::uint16_t> places_;
};

}  // namespace

template <class T>
std::unique_ptr<Pooling> make_pooling(const PoolShape& shape, DevicePointer device) {
    return std::make_unique<CudaPooling<T>>(shape, std::move(device));
}

template std::unique_ptr<Pooling> make_pooling<float>(const PoolShape&, DevicePointer);
template std::unique_ptr<Pooling> make_pooling<__nv_bfloat16>(const PoolShape&, DevicePointer);

}  // namespace nanoatlas::kernels::cudnn
