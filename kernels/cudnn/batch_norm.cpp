#include "kernels/cudnn/primitives.hpp"

namespace nanoatlas::kernels::cudnn {
namespace {

template <class T>
class CudnnBatchNorm final : public BatchNorm {
  public:
    CudnnBatchNorm(const BatchNormShape& shape, DevicePointer device)
        : shape_(shape),
          device_(std::move(device)),
          numbers_(6 * channels(), *device_),
          sums_(2 * channels() + 1, *device_),
          task_(reserve_task<T>(shape.image.rows(), channels(), *device_)) {
        float* const first = numbers_.get();
        const auto n = channels();
        state_ = {first, first + n, first + 2 * n, first + 3 * n, first + 4 * n, first + 5 * n};
        task_.sums = sums_.get();
    }

    void set_running(const NormTensors& norm) override {
        norm_running(channels(), norm, state_, device_->stream());
    }

    void evaluate(const void* x, const void* addend, void* y) override {
        norm_apply(typed(x), typed(addend), shape_.image.rows(), channels(), state_,
                   shape_.activation, typed(y), device_->stream());
    }

    void train(const void* x, const void* addend, const float* gamma, const float* beta,
               float* running_mean, float* running_variance, void* y) override {
        if (shape_.image.samples > 0)
            norm_sums(task(), typed(x), device_->stream());
        else
            clear_sums();
        share_sums();
        norm_statistics(shape_, sums_.get(), gamma, beta, running_mean, running_variance, state_,
                        device_->stream());
        evaluate(x, addend, y);
        has_addend_ = addend != nullptr;
    }

    /// Where nobody asks for g and it is made of one gradient and x alone, both passes over the
    /// image make it again, which costs less than to write it and read it.
    void backward(Addends gradients, const void* y, const void* x, void* g, void* dx, float* dgamma,
                  float* dbeta) override {
        const bool activates = shape_.activation != Activation::none;
        const bool again = g == nullptr && gradients.size() == 1 && !(activates && has_addend_);
        if (activates && g == nullptr && !again) g = dx;  // in place
        if (again) y = nullptr;
        if (shape_.image.samples > 0)
            norm_backward_sums(task(), Parts(gradients), typed(y), typed(x), state_,
                               shape_.activation, typed(g), device_->stream());
        else
            clear_sums();
        norm_parameter_gradients(channels(), sums_.get(), state_, dgamma, dbeta, device_->stream());
        share_sums();
        if (dx == nullptr) return;
        norm_data_coefficients(channels(), sums_.get(), state_, device_->stream());
        norm_backward_data(typed(g != nullptr ? g : gradients[0]), typed(x), shape_.image.rows(),
                           channels(), state_, again ? shape_.activation : Activation::none,
                           typed(dx), device_->stream());
    }

  private:
    static const T* typed(const void* values) { return static_cast<const T*>(values); }
    static T* typed(void* values) { return static_cast<T*>(values); }

    std::int64_t channels() const { return shape_.image.channels; }
    std::size_t sum_count() const { return static_cast<std::size_t>(2 * channels() + 1); }
    NormTask task() {
        task_.partial = static_cast<double*>(device_->workspace());
        return task_;
    }
    void clear_sums() {
        check(cudaMemsetAsync(sums_.get(), 0, sum_count() * sizeof(double), device_->stream()),
              "clear sums");
    }
    void share_sums() {
        if (shape_.ranks != nullptr && device_->sums() != nullptr)
            device_->sums()->sum({sums_.get(), sum_count()});
    }

    BatchNormShape shape_;
    DevicePointer device_;
    DeviceArray<float> numbers_;
    DeviceArray<double> sums_;
    NormTask task_;
    NormState state_{};
    bool has_addend_ = false;  ///< of the last train()
};

}  // namespace

template <class T>
std::unique_ptr<BatchNorm> make_batch_norm(const BatchNormShape& shape, DevicePointer device) {
    return std::make_unique<CudnnBatchNorm<T>>(shape, std::move(device));
}

template std::unique_ptr<BatchNorm> make_batch_norm<float>(const BatchNormShape&, DevicePointer);
template std::unique_ptr<BatchNorm> make_batch_norm<__nv_bfloat16>(const BatchNormShape&,
                                                                   DevicePointer);

}  // namespace nanoatlas::kernels::cudnn
