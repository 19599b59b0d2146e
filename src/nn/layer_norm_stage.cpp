// Layer norms: the same in training and in evaluation, each pixel by itself.
#include "nn/stage.hpp"

namespace nanoatlas::nn {
namespace {

class LayerNormStage final : public Stage {
  public:
    LayerNormStage(const Group& group, Wiring& wiring)
        : group_(group),
          trained_(wiring.is_trained(group.first)),
          eps_(std::get<LayerNorm>(wiring.node(group.first).attributes).eps),
          image_(wiring.image(group.first)),
          weight_(wiring.layout().offset(wiring.node(group.first).name + ".weight")),
          bias_(wiring.layout().offset(wiring.node(group.first).name + ".bias")),
          x_(wiring.value(group.inputs[0])),
          y_(wiring.value(group.output)) {}

    void forward(const Run& run) override {
        run.backend.layer_norm(run.at(x_), image_.rows(), image_.channels, coefficients(run),
                               run.at(y_));
    }

    void wire_backward(Wiring& wiring) override {
        if (!trained_) return;
        dy_ = wiring.incoming(group_.output, group_.activation);
        if (dy_.parts.empty()) return;
        wiring.value(group_.inputs[0]);
        if (wiring.wants_gradient(group_.inputs[0])) dx_ = wiring.add_gradient(group_.inputs[0]);
    }

    void backward(const Run& run) override {
        if (dy_.parts.empty()) return;
        run.backend.layer_norm_backward(
            dy_.collect(run), run.at(x_), image_.rows(), image_.channels, coefficients(run),
            dx_ >= 0 ? run.at(dx_) : nullptr, run.gradients + weight_, run.gradients + bias_);
    }

  private:
    kernels::LayerNormCoefficients coefficients(const Run& run) const {
        return {run.parameters + weight_, run.parameters + bias_, eps_};
    }

    Group group_;
    bool trained_;
    double eps_;
    kernels::ImageShape image_;
    std::int64_t weight_, bias_;
    int x_, y_, dx_ = -1;
    Incoming dy_;
};

}  // namespace

std::unique_ptr<Stage> make_layer_norm_stage(const Group& group, Wiring& wiring) {
    return std::make_unique<LayerNormStage>(group, wiring);
}

}  // namespace nanoatlas::nn
