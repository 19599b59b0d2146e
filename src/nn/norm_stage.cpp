// Batch norms that stand alone: with the batch's statistics (over all ranks, if asked) where they
// are trained, else with the running ones. Ioffe, Szegedy, arXiv:1502.03167.
#include "nn/stage.hpp"

namespace nanoatlas::nn {
namespace {

class NormStage final : public Stage {
  public:
    NormStage(const Group& group, Wiring& wiring)
        : group_(group),
          trained_(wiring.is_trained(group.first)),
          eps_(std::get<BatchNorm>(wiring.node(group.first).attributes).eps),
          x_(wiring.value(group.inputs[0])),
          addend_(group.addend >= 0 ? wiring.value(group.addend) : -1),
          y_(wiring.value(group.output)) {
        const auto& node = wiring.node(group.first);
        primitive_ =
            wiring.backend().batch_norm({.image = wiring.image(group.first),
                                         .eps = eps_,
                                         .momentum = std::get<BatchNorm>(node.attributes).momentum,
                                         .activation = group.activation,
                                         .training = trained_,
                                         .ranks = wiring.ranks()});
        const auto& layout = wiring.layout();
        gamma_ = layout.offset(node.name + ".weight");
        beta_ = layout.offset(node.name + ".bias");
        running_mean_ = layout.offset(node.name + ".running_mean");
        running_variance_ = layout.offset(node.name + ".running_var");
    }

    bool is_collective() const override { return trained_; }

    void pack(const float* parameters, const float* buffers) override {
        if (trained_) return;
        primitive_->set_running({.gamma = parameters + gamma_,
                                 .beta = parameters + beta_,
                                 .mean = buffers + running_mean_,
                                 .variance = buffers + running_variance_,
                                 .eps = eps_});
    }

    void forward(const Run& run) override {
        const void* addend = addend_ >= 0 ? run.at(addend_) : nullptr;
        if (trained_)
            primitive_->train(run.at(x_), addend, run.parameters + gamma_, run.parameters + beta_,
                              run.buffers + running_mean_, run.buffers + running_variance_,
                              run.at(y_));
        else
            primitive_->evaluate(run.at(x_), addend, run.at(y_));
    }

    void wire_backward(Wiring& wiring) override {
        if (!trained_) return;
        dy_ = wiring.incoming(group_.output, group_.activation);
        if (dy_.parts.empty()) return;
        wiring.value(group_.inputs[0]);
        keeps_sum_ = dy_.parts.size() > 1 || group_.addend >= 0;
        if (group_.addend >= 0 && wiring.wants_gradient(group_.addend))
            wiring.share_gradient(group_.addend, dy_.sum, dy_.sum_is_shared);
        if (wiring.wants_gradient(group_.inputs[0])) dx_ = wiring.add_gradient(group_.inputs[0]);
    }

    void backward(const Run& run) override {
        if (dy_.parts.empty()) return;
        primitive_->backward(dy_.addresses(run), dy_.y < 0 ? nullptr : run.at(dy_.y), run.at(x_),
                             keeps_sum_ && dy_.needs_sum() ? run.at(dy_.sum) : nullptr,
                             dx_ < 0 ? nullptr : run.at(dx_), run.gradients + gamma_,
                             run.gradients + beta_);
    }

  private:
    Group group_;
    bool trained_;
    double eps_;
    std::unique_ptr<kernels::BatchNorm> primitive_;
    std::int64_t gamma_, beta_, running_mean_, running_variance_;
    int x_, addend_, y_, dx_ = -1;
    Incoming dy_;
    bool keeps_sum_ = false;  ///< of the gradient's parts
};

}  // namespace

std::unique_ptr<Stage> make_norm_stage(const Group& group, Wiring& wiring) {
    return std::make_unique<NormStage>(group, wiring);
}

}  // namespace nanoatlas::nn
