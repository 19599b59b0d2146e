// What the oneDNN primitives of one back end share. Includes dnnl.hpp: for .cpp files only.
#pragma once

#include <algorithm>
#include <cstdint>
#include <dnnl.hpp>
#include <memory>
#include <unordered_map>

#include "kernels/cnn.hpp"

namespace nanoatlas::kernels::onednn {

/// Memory aligned to cache lines.
Memory allocate_aligned(std::int64_t bytes);

class Engine {
  public:
    explicit Engine(Precision precision) : precision_(precision) {}

    Precision precision() const { return precision_; }
    const dnnl::engine& engine() const { return engine_; }
    dnnl::memory::data_type data_type() const {
        return precision_ == Precision::bf16 ? dnnl::memory::data_type::bf16
                                             : dnnl::memory::data_type::f32;
    }
    /// An image as a descriptor, channels innermost.
    dnnl::memory::desc describe(const ImageShape& shape) const {
        return describe(shape, data_type());
    }
    static dnnl::memory::desc describe(const ImageShape& shape, dnnl::memory::data_type type) {
        return {{shape.samples, shape.channels, shape.height, shape.width},
                type,
                dnnl::memory::format_tag::nhwc};
    }
    /// Scratch is one block, as large as the neediest primitive asks; attributes that say so.
    dnnl::primitive_attr attributes() const {
        dnnl::primitive_attr attributes;
        attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
        return attributes;
    }
    void reserve_scratch(std::int64_t bytes) { scratch_bytes_ = std::max(scratch_bytes_, bytes); }
    void reserve_scratch(const dnnl::memory::desc& scratch) {
        reserve_scratch(static_cast<std::int64_t>(scratch.get_size()));
    }
    /// Memory that a primitive will take for itself when it first works.
    void announce(std::int64_t bytes) { announced_bytes_ += bytes; }
    std::int64_t reserved_bytes() const { return scratch_bytes_ + announced_bytes_; }

    /// As large as was reserved.
    void* scratch();
    /// scratch_desc: the primitive's own.
    void execute(const dnnl::primitive& primitive, const dnnl::memory::desc& scratch_desc,
                 std::unordered_map<int, dnnl::memory> arguments);
    dnnl::memory memory(const dnnl::memory::desc& desc, const void* data) const {
        return {desc, engine_, const_cast<void*>(data)};
    }

  private:
    Precision precision_;
    dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
    dnnl::stream stream_{engine_};
    Memory scratch_;
    std::int64_t scratch_bytes_ = 0, scratch_taken_ = 0, announced_bytes_ = 0;
};

/// All three passes by oneDNN.
std::unique_ptr<Convolution> make_direct(const ConvolutionShape& shape,
                                         std::shared_ptr<Engine> engine);
/// 3x3 windows at stride 1, in f32: all three passes by Winograd's algorithm.
bool suits_winograd(const ConvolutionShape& shape, Precision precision);
std::unique_ptr<Convolution> make_winograd(const ConvolutionShape& shape,
                                           const std::shared_ptr<Engine>& engine);
/// As many groups as channels, and gradients wanted: those by our own loops.
std::unique_ptr<Convolution> make_depthwise(const ConvolutionShape& shape,
                                            std::shared_ptr<Engine> engine);
/// Of elements of that type.
std::unique_ptr<Pooling> make_pooling(const PoolShape& shape, dnnl::memory::data_type type,
                                      std::shared_ptr<Engine> engine);

}  // namespace nanoatlas::kernels::onednn
