#include "kernels/cudnn/cudnn.hpp"
#include "kernels/cudnn/primitives.hpp"
#include "kernels/loss.hpp"
#include "kernels/pictures.hpp"

namespace nanoatlas::kernels::cudnn {
namespace {

/// T: how images are stored, float or __nv_bfloat16.
template <class T>
class CudnnBackend final : public Backend {
  public:
    CudnnBackend(Precision precision, const Ranks* ranks)
        : device_(std::make_shared<Device>(precision, ranks)) {}

    std::string name() const override { return "cudnn"; }
    Precision precision() const override { return device_->precision(); }
    Memory allocate(std::int64_t bytes) override {
        const auto block = std::make_shared<DeviceBlock>(allocate_on_device(bytes));
        return {block->get(), [block](void*) {}};
    }
    bool shares_host_memory() const override { return false; }
    std::int64_t available_bytes() const override { return device_->available_bytes(); }
    std::int64_t scratch_bytes() const override { return device_->reserved_bytes(); }
    void upload(const void* from, std::int64_t bytes, void* to) override {
        copy(from, bytes, to, cudaMemcpyHostToDevice);
    }
    void download(const void* from, std::int64_t bytes, void* to) override {
        copy(from, bytes, to, cudaMemcpyDeviceToHost);
    }
    void finish() override { device_->finish(); }

    std::unique_ptr<Recording> recording() override { return make_recording(device_); }
    void set_step(const DropoutKey& key) override { device_->set_step(key); }
    bool sums_over_ranks() const override { return true; }
    void start_sum(std::span<float> values) override {
        if (device_->sums() != nullptr) device_->sums()->start(values);
    }
    void finish_sums() override {
        if (device_->sums() != nullptr) device_->sums()->finish();
    }

    std::unique_ptr<Convolution> convolution(const ConvolutionShape& shape) override {
        return make_convolution<T>(shape, device_);
    }
    std::unique_ptr<Pooling> pooling(const PoolShape& shape) override {
        return make_pooling<T>(shape, device_);
    }
    std::unique_ptr<BatchNorm> batch_norm(const BatchNormShape& shape) override {
        return make_batch_norm<T>(shape, device_);
    }

    void import_images(const float* from, const ImageShape& shape, void* to) override {
        float* const staging = staging_for(shape);
        upload(from, bytes_of(shape), staging);
        cudnn::import_images(staging, shape, typed(to), stream());
    }
    void export_images(const void* from, const ImageShape& shape, float* to) override {
        float* const staging = staging_for(shape);
        cudnn::export_images(typed(from), shape, staging, stream());
        download(staging, bytes_of(shape), to);
    }

    void layer_norm(const void* x, std::int64_t rows, std::int64_t channels,
                    const LayerNormCoefficients& coefficients, void* y) override {
        cudnn::layer_norm(typed(x), rows, channels, coefficients, typed(y), stream());
    }
    void layer_norm_backward(const void* dy, const void* x, std::int64_t rows,
                             std::int64_t channels, const LayerNormCoefficients& coefficients,
                             void* dx, float* dweight, float* dbias) override {
        const auto statistics = 2 * rows * static_cast<std::int64_t>(sizeof(float));
        const auto task = task_for(rows, channels, statistics);
        auto* const behind =
            reinterpret_cast<float*>(task.partial + task.reduction.splits * 2 * task.channels);
        cudnn::layer_norm_backward(task, typed(dy), typed(x), coefficients, behind, typed(dx),
                                   dweight, dbias, stream());
    }
    void gelu(const void* x, std::int64_t elements, void* y) override {
        cudnn::gelu(typed(x), elements, typed(y), stream());
    }
    void gelu_backward(const void* dy, const void* x, std::int64_t elements, void* dx) override {
        cudnn::gelu_backward(typed(dy), typed(x), elements, typed(dx), stream());
    }
    void scale(const void* x, const void* addend, const ImageShape& shape, const Scale& by,
               void* y) override {
        cudnn::scale(typed(x), typed(addend), shape, by.by_channel, device_->relative(by.depth),
                     typed(y), stream());
    }
    void scale_backward(const void* dy, const void* x, const ImageShape& shape, const Scale& by,
                        void* dx, float* dby_channel) override {
        const auto depth = device_->relative(by.depth);
        if (dby_channel != nullptr)
            scale_gradient(task_for(shape.rows(), shape.channels, 0), typed(dy), typed(x),
                           shape.height * shape.width, depth, dby_channel, stream());
        if (dx != nullptr)
            cudnn::scale<T>(typed(dy), nullptr, shape, by.by_channel, depth, typed(dx), stream());
    }

    void add(Addends parts, Activation activation, std::int64_t elements, void* y) override {
        cudnn::add(Parts(parts), activation, elements, typed(y), stream());
    }
    void activation_backward(Addends gradients, const void* y, Activation activation,
                             std::int64_t elements, void* dx) override {
        cudnn::activation_backward(Parts(gradients), typed(y), activation, elements, typed(dx),
                                   stream());
    }
    void copy_channels(const void* from, std::int64_t from_channels, std::int64_t from_first,
                       void* to, std::int64_t to_channels, std::int64_t to_first,
                       std::int64_t channels, std::int64_t rows) override {
        cudnn::copy_channels(typed(from), from_channels, from_first, typed(to), to_channels,
                             to_first, channels, rows, stream());
    }
    void adaptive_average(const void* x, const ImageShape& input, const ImageShape& output,
                          void* y) override {
        cudnn::adaptive_average(typed(x), input, output, typed(y), stream());
    }
    void adaptive_average_backward(const void* dy, const ImageShape& input,
                                   const ImageShape& output, void* dx) override {
        cudnn::adaptive_average_backward(typed(dy), input, output, typed(dx), stream());
    }
    void dropout(const void* x, const ImageShape& shape, const DropoutKey& key, void* y) override {
        cudnn::dropout(typed(x), shape, device_->relative(key), typed(y), stream());
    }

    void multiply(const float* x, float factor, std::int64_t count, float* y) override {
        cudnn::multiply(x, factor, count, y, stream());
    }
    void accumulate(const float* x, float factor, std::int64_t count, float* sum) override {
        cudnn::accumulate(x, factor, count, sum, stream());
    }
    void approach(const float* x, float part, std::int64_t count, float* average) override {
        cudnn::approach(x, part, count, average, stream());
    }
    std::unique_ptr<Loss> loss(const LossShape& shape) override {
        return make_loss<T>(shape, device_);
    }
    std::unique_ptr<PictureReader> picture_reader(const PictureFormat& format) override {
        return make_picture_reader<T>(format, device_);
    }
    std::unique_ptr<Updater> updater(const UpdateOptions& options,
                                     std::span<const UpdateSlice> slices) override {
        return make_updater(options, slices, device_);
    }

  private:
    static const T* typed(const void* values) { return static_cast<const T*>(values); }
    static T* typed(void* values) { return static_cast<T*>(values); }
    static std::int64_t bytes_of(const ImageShape& shape) {
        return shape.elements() * static_cast<std::int64_t>(sizeof(float));
    }
    cudaStream_t stream() const { return device_->stream(); }

    void copy(const void* from, std::int64_t bytes, void* to, cudaMemcpyKind kind) {
        check(cudaMemcpyAsync(to, from, static_cast<std::size_t>(bytes), kind, stream()),
              "copy between host and device");
        device_->finish();
    }

    /// With that many bytes behind the partial sums.
    NormTask task_for(std::int64_t rows, std::int64_t channels, std::int64_t more) {
        auto task = reserve_task<T>(rows, channels, *device_);
        device_->reserve_workspace(task.reduction.splits * 2 * channels *
                                       static_cast<std::int64_t>(sizeof(double)) +
                                   more);
        task.partial = static_cast<double*>(device_->workspace());
        return task;
    }

    /// Where f32 images of the host's order stand between host and device.
    float* staging_for(const ImageShape& shape) {
        if (bytes_of(shape) > staging_bytes_) {
            device_->finish();
            staging_ = DeviceBlock();
            staging_ = allocate_on_device(bytes_of(shape));
            staging_bytes_ = bytes_of(shape);
        }
        return static_cast<float*>(staging_.get());
    }

    DevicePointer device_;
    DeviceBlock staging_;
    std::int64_t staging_bytes_ = 0;
};

}  // namespace

int device_count() {
    int count = 0;
    if (cudaGetDeviceCount(&count) == cudaSuccess) return count;
    cudaGetLastError();  // or the next call would be told of it
    return 0;
}

std::unique_ptr<Backend> make_backend(Precision precision, const Ranks* ranks) {
    if (precision == Precision::f32) return std::make_unique<CudnnBackend<float>>(precision, ranks);
    return std::make_unique<CudnnBackend<__nv_bfloat16>>(precision, ranks);
}

}  // namespace nanoatlas::kernels::cudnn
