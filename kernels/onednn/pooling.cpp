#include <utility>

#include "kernels/onednn/engine.hpp"

namespace nanoatlas::kernels::onednn {
namespace {

using dnnl::memory;

class OnednnPooling final : public Pooling {
  public:
    OnednnPooling(const PoolShape& shape, memory::data_type type, std::shared_ptr<Engine> engine)
        : engine_(std::move(engine)),
          x_(Engine::describe(shape.input, type)),
          y_(Engine::describe(shape.output, type)) {
        const auto& window = shape.window;
        const memory::dims strides{window.stride_y, window.stride_x};
        const memory::dims kernel{window.height, window.width}, dilation{0, 0};
        const memory::dims before{window.top, window.left}, behind{window.bottom, window.right};
        const auto algorithm = shape.kind == PoolKind::max
                                   ? dnnl::algorithm::pooling_max
                                   : dnnl::algorithm::pooling_avg_include_padding;
        const auto kind =
            shape.training ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference;
        const dnnl::pooling_forward::primitive_desc forward(engine_->engine(), kind, algorithm, x_,
                                                            y_, strides, kernel, dilation, before,
                                                            behind, engine_->attributes());
        forward_ = dnnl::pooling_forward(forward);
        forward_scratch_ = forward.scratchpad_desc();
        engine_->reserve_scratch(forward_scratch_);
        if (!shape.training) return;
        if (shape.kind == PoolKind::max) workspace_desc_ = forward.workspace_desc();
        engine_->announce(static_cast<std::int64_t>(workspace_desc_.get_size()));
        const dnnl::pooling_backward::primitive_desc backward(
            engine_->engine(), algorithm, x_, y_, strides, kernel, dilation, before, behind,
            forward, engine_->attributes());
        backward_ = dnnl::pooling_backward(backward);
        backward_scratch_ = backward.scratchpad_desc();
        engine_->reserve_scratch(backward_scratch_);
    }

    void forward(const void* x, void* y) override {
        run(forward_, forward_scratch_,
            {{DNNL_ARG_SRC, engine_->memory(x_, x)}, {DNNL_ARG_DST, engine_->memory(y_, y)}});
    }
    void backward(const void* dy, void* dx) override {
        run(backward_, backward_scratch_,
            {{DNNL_ARG_DIFF_DST, engine_->memory(y_, dy)},
             {DNNL_ARG_DIFF_SRC, engine_->memory(x_, dx)}});
    }

  private:
    /// With the workspace, in which forward leaves where the maxima were.
    void run(const dnnl::primitive& primitive, const memory::desc& scratch,
             std::unordered_map<int, memory> arguments) {
        if (workspace_desc_.get_size() > 0) {
            if (!workspace_)
                workspace_ =
                    allocate_aligned(static_cast<std::int64_t>(workspace_desc_.get_size()));
            arguments.emplace(DNNL_ARG_WORKSPACE,
                              engine_->memory(workspace_desc_, workspace_.get()));
        }
        engine_->execute(primitive, scratch, std::move(arguments));
    }

    std::shared_ptr<Engine> engine_;
    memory::desc x_, y_, forward_scratch_, backward_scratch_, workspace_desc_;
    dnnl::primitive forward_, backward_;
    Memory workspace_;
};

}  // namespace

std::unique_ptr<Pooling> make_pooling(const PoolShape& shape, memory::data_type type,
                                      std::shared_ptr<Engine> engine) {
    return std::make_unique<OnednnPooling>(shape, type, std::move(engine));
}

}  // namespace nanoatlas::kernels::onednn
