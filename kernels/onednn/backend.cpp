#include <new>
#include <stdexcept>
#include <utility>

#include "kernels/onednn/engine.hpp"
#include "kernels/onednn/loops.hpp"
#include "kernels/onednn/onednn.hpp"
#include "kernels/onednn/updates.hpp"
#include "kernels/pictures.hpp"
#include "kernels/reference/batch_norm.hpp"
#include "kernels/reference/loss.hpp"

namespace nanoatlas::kernels::onednn {

Memory allocate_aligned(std::int64_t bytes) {
    constexpr std::align_val_t line{64};
    return {::operator new(static_cast<std::size_t>(bytes), line),
            [](void* memory) { ::operator delete(memory, line); }};
}

void* Engine::scratch() {
    if (scratch_bytes_ > scratch_taken_) {
        scratch_.reset();
        scratch_ = allocate_aligned(scratch_bytes_);
        scratch_taken_ = scratch_bytes_;
    }
    return scratch_.get();
}

void Engine::execute(const dnnl::primitive& primitive, const dnnl::memory::desc& scratch_desc,
                     std::unordered_map<int, dnnl::memory> arguments) {
    arguments.emplace(DNNL_ARG_SCRATCHPAD, memory(scratch_desc, scratch()));
    primitive.execute(stream_, arguments);
    stream_.wait();
}

namespace {

/// T: how images are stored, float or BFloat16.
template <class T>
class OnednnBackend final : public Backend, private reference::NormPasses {
  public:
    explicit OnednnBackend(Precision precision) : engine_(std::make_shared<Engine>(precision)) {}

    std::string name() const override { return "onednn"; }
    Precision precision() const override { return engine_->precision(); }
    Memory allocate(std::int64_t bytes) override { return allocate_aligned(bytes); }
    std::int64_t scratch_bytes() const override { return engine_->reserved_bytes(); }
    std::unique_ptr<Convolution> convolution(const ConvolutionShape& shape) override {
        const bool depthwise = shape.groups > 1 && shape.groups == shape.input.channels &&
                               shape.groups == shape.output.channels;
        if (depthwise && shape.training) return make_depthwise(shape, engine_);
        if (suits_winograd(shape, precision())) return make_winograd(shape, engine_);
        return make_direct(shape, engine_);
    }
    std::unique_ptr<Pooling> pooling(const PoolShape& shape) override {
        return make_pooling(shape, engine_->data_type(), engine_);
    }
    std::unique_ptr<BatchNorm> batch_norm(const BatchNormShape& shape) override {
        return reference::make_batch_norm(shape, *this);
    }

    void import_images(const float* from, const ImageShape& shape, void* to) override {
        onednn::import_images(from, shape, typed(to));
    }
    void export_images(const void* from, const ImageShape& shape, float* to) override {
        onednn::export_images(typed(from), shape, to);
    }

    void layer_norm(const void* x, std::int64_t rows, std::int64_t channels,
                    const LayerNormCoefficients& coefficients, void* y) override {
        onednn::layer_norm(typed(x), rows, channels, coefficients, typed(y));
    }
    void layer_norm_backward(const void* dy, const void* x, std::int64_t rows,
                             std::int64_t channels, const LayerNormCoefficients& coefficients,
                             void* dx, float* dweight, float* dbias) override {
        onednn::layer_norm_backward(typed(dy), typed(x), rows, channels, coefficients, typed(dx),
                                    dweight, dbias);
    }
    void gelu(const void* x, std::int64_t elements, void* y) override {
        onednn::gelu(typed(x), elements, typed(y));
    }
    void gelu_backward(const void* dy, const void* x, std::int64_t elements, void* dx) override {
        onednn::gelu_backward(typed(dy), typed(x), elements, typed(dx));
    }
    void scale(const void* x, const void* addend, const ImageShape& shape, const Scale& by,
               void* y) override {
        onednn::scale(typed(x), typed(addend), shape, by, typed(y));
    }
    void scale_backward(const void* dy, const void* x, const ImageShape& shape, const Scale& by,
                        void* dx, float* dby_channel) override {
        onednn::scale_backward(typed(dy), typed(x), shape, by, typed(dx), dby_channel);
    }

    void add(Addends parts, Activation activation, std::int64_t elements, void* y) override {
        onednn::add(parts, activation, elements, typed(y));
    }
    void activation_backward(Addends gradients, const void* y, Activation activation,
                             std::int64_t elements, void* dx) override {
        onednn::activation_backward(gradients, typed(y), activation, elements, typed(dx));
    }
    void copy_channels(const void* from, std::int64_t from_channels, std::int64_t from_first,
                       void* to, std::int64_t to_channels, std::int64_t to_first,
                       std::int64_t channels, std::int64_t rows) override {
        onednn::copy_channels(typed(from), from_channels, from_first, typed(to), to_channels,
                              to_first, channels, rows);
    }
    void adaptive_average(const void* x, const ImageShape& input, const ImageShape& output,
                          void* y) override {
        onednn::adaptive_average(typed(x), input, output, typed(y));
    }
    void adaptive_average_backward(const void* dy, const ImageShape& input,
                                   const ImageShape& output, void* dx) override {
        onednn::adaptive_average_backward(typed(dy), input, output, typed(dx));
    }
    void dropout(const void* x, const ImageShape& shape, const DropoutKey& key, void* y) override {
        onednn::dropout(typed(x), shape, key, typed(y));
    }

    void multiply(const float* x, float factor, std::int64_t count, float* y) override {
        onednn::multiply(x, factor, count, y);
    }
    void accumulate(const float* x, float factor, std::int64_t count, float* sum) override {
        onednn::accumulate(x, factor, count, sum);
    }
    void approach(const float* x, float part, std::int64_t count, float* average) override {
        onednn::approach(x, part, count, average);
    }
    std::unique_ptr<Loss> loss(const LossShape& shape) override {
        return reference::make_loss(*this, shape);
    }
    std::unique_ptr<PictureReader> picture_reader(const PictureFormat&) override { return nullptr; }
    std::unique_ptr<Updater> updater(const UpdateOptions& options,
                                     std::span<const UpdateSlice> slices) override {
        return make_updater(options, slices);
    }

  private:
    void norm_sums(const void* x, std::int64_t rows, std::int64_t channels, double* sums) override {
        onednn::norm_sums(typed(x), rows, channels, sums);
    }
    void norm_forward(const void* x, const void* addend, std::int64_t rows, std::int64_t channels,
                      const NormCoefficients& coefficients, Activation activation,
                      void* y) override {
        onednn::norm_forward(typed(x), typed(addend), rows, channels, coefficients, activation,
                             typed(y));
    }
    void norm_backward_sums(Addends gradients, const void* y, const void* x, std::int64_t rows,
                            std::int64_t channels, const float* mean, Activation activation,
                            void* g, double* sums) override {
        onednn::norm_backward_sums(gradients, typed(y), typed(x), rows, channels, mean, activation,
                                   typed(g), sums);
    }
    void norm_backward_data(const void* g, const void* x, std::int64_t rows, std::int64_t channels,
                            const NormGradientCoefficients& coefficients, void* dx) override {
        onednn::norm_backward_data(typed(g), typed(x), rows, channels, coefficients, typed(dx));
    }
    void norm_backward_sums(const void* dy, const void* x, std::int64_t rows, std::int64_t channels,
                            const NormCoefficients& by, Activation activation,
                            double* sums) override {
        onednn::norm_backward_sums(typed(dy), typed(x), rows, channels, by, activation, sums);
    }
    void norm_backward_data(const void* dy, const void* x, std::int64_t rows, std::int64_t channels,
                            const NormCoefficients& by, Activation activation,
                            const NormGradientCoefficients& coefficients, void* dx) override {
        onednn::norm_backward_data(typed(dy), typed(x), rows, channels, by, activation,
                                   coefficients, typed(dx));
    }

    static const T* typed(const void* values) { return static_cast<const T*>(values); }
    static T* typed(void* values) { return static_cast<T*>(values); }

    std::shared_ptr<Engine> engine_;
};

}  // namespace

bool has_bf16() {
    const auto wanted = static_cast<unsigned>(dnnl::cpu_isa::avx512_core_bf16);
    return (static_cast<unsigned>(dnnl::get_effective_cpu_isa()) & wanted) == wanted;
}

std::unique_ptr<Backend> make_backend(Precision precision) {
    if (precision == Precision::f32) return std::make_unique<OnednnBackend<float>>(precision);
    if (!has_bf16()) throw std::runtime_error("this processor has no bf16 instructions; use f32");
    return std::make_unique<OnednnBackend<BFloat16>>(precision);
}

}  // namespace nanoatlas::kernels::onednn
