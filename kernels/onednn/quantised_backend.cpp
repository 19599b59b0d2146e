#include <utility>

#include "kernels/onednn/loops.hpp"
#include "kernels/onednn/onednn.hpp"
#include "kernels/onednn/quantised_engine.hpp"
#include "kernels/onednn/quantised_loops.hpp"

namespace nanoatlas::kernels::onednn {
namespace {

class OnednnQuantisedBackend final : public QuantisedBackend {
  public:
    WeightBounds weight_bounds(const ConvolutionShape& shape, Element x) const override {
        return onednn::weight_bounds(shape, x);
    }
    std::unique_ptr<QuantisedConvolution> convolution(
        const QuantisedConvolutionShape& shape) override {
        return make_quantised_convolution(shape, engine_);
    }
    std::unique_ptr<Pooling> pooling(const PoolShape& shape, Element element) override {
        return make_pooling(shape, data_type(element), engine_);
    }
    void rescale(const void* x, std::int64_t rows, std::int64_t channels, const Rescaling& how,
                 void* y) override {
        onednn::rescale(x, rows, channels, how, y);
    }
    void copy_channels(const void* from, std::int64_t from_channels, void* to,
                       std::int64_t to_channels, std::int64_t to_first, std::int64_t channels,
                       std::int64_t rows) override {
        onednn::copy_channels(static_cast<const std::int8_t*>(from), from_channels, 0,
                              static_cast<std::int8_t*>(to), to_channels, to_first, channels, rows);
    }

  private:
    std::shared_ptr<Engine> engine_ = std::make_shared<Engine>(Precision::f32);
};

}  // namespace

bool has_vnni() {
    const auto isa = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
    const auto has = [isa](dnnl::cpu_isa wanted) {
        return (isa & static_cast<unsigned>(wanted)) == static_cast<unsigned>(wanted);
    };
    return has(dnnl::cpu_isa::avx512_core_vnni) || has(dnnl::cpu_isa::avx2_vnni);
}

std::unique_ptr<QuantisedBackend> make_quantised_backend() {
    return std::make_unique<OnednnQuantisedBackend>();
}

}  // namespace nanoatlas::kernels::onednn
