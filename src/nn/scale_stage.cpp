// Layer scale and stochastic depth, with the sum in which a residual branch ends.
#include "nn/stage.hpp"

namespace nanoatlas::nn {
namespace {

class ScaleStage final : public Stage {
  public:
    ScaleStage(const Group& group, Wiring& wiring)
        : group_(group),
          image_(wiring.image(group.first)),
          x_(wiring.value(group.inputs[0])),
          addend_(group.addend >= 0 ? wiring.value(group.addend) : -1),
          y_(wiring.value(group.output)) {
        if (group.scale >= 0) factor_ = wiring.layout().offset(wiring.node(group.scale).name);
        if (group.depth >= 0 && wiring.is_trained(group.depth))
            probability_ = std::get<Dropout>(wiring.node(group.depth).attributes).probability;
        is_trained_ = factor_ >= 0 && wiring.is_trained(group.scale);
    }

    void forward(const Run& run) override {
        run.backend.scale(run.at(x_), addend_ >= 0 ? run.at(addend_) : nullptr, image_, scale(run),
                          run.at(y_));
    }

    void wire_backward(Wiring& wiring) override {
        if (!wiring.wants_gradient(group_.output)) return;
        dy_ = wiring.incoming(group_.output, group_.activation);
        if (dy_.parts.empty()) return;
        if (is_trained_) wiring.value(group_.inputs[0]);
        if (group_.addend >= 0 && wiring.wants_gradient(group_.addend))
            wiring.share_gradient(group_.addend, dy_.sum, dy_.sum_is_shared);
        if (wiring.wants_gradient(group_.inputs[0])) dx_ = wiring.add_gradient(group_.inputs[0]);
    }

    void backward(const Run& run) override {
        if (dy_.parts.empty()) return;
        run.backend.scale_backward(dy_.collect(run), run.at(x_), image_, scale(run),
                                   dx_ >= 0 ? run.at(dx_) : nullptr,
                                   is_trained_ ? run.gradients + factor_ : nullptr);
    }

  private:
    kernels::Scale scale(const Run& run) const {
        return {factor_ >= 0 ? run.parameters + factor_ : nullptr,
                {run.dropout_stream + static_cast<std::uint64_t>(group_.depth), run.first_sample,
                 probability_}};
    }

    Group group_;
    kernels::ImageShape image_;
    std::int64_t factor_ = -1;
    double probability_ = 0;
    bool is_trained_;
    int x_, addend_, y_, dx_ = -1;
    Incoming dy_;
};

}  // namespace

std::unique_ptr<Stage> make_scale_stage(const Group& group, Wiring& wiring) {
    return std::make_unique<ScaleStage>(group, wiring);
}

}  // namespace nanoatlas::nn
