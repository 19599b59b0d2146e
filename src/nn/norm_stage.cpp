// Batch norms that stand alone: with the batch's statistics (over all ranks, if asked) where they
// are trained, else with the running ones. Ioffe, Szegedy, arXiv:1502.03167.
#include <algorithm>
#include <cmath>
#include <span>

#include "nn/stage.hpp"

namespace nanoatlas::nn {
namespace {

class NormStage final : public Stage {
  public:
    NormStage(const Group& group, Wiring& wiring)
        : group_(group),
          trained_(wiring.is_trained(group.first)),
          options_(std::get<BatchNorm>(wiring.node(group.first).attributes)),
          image_(wiring.image(group.first)),
          x_(wiring.value(group.inputs[0])),
          addend_(group.addend >= 0 ? wiring.value(group.addend) : -1),
          y_(wiring.value(group.output)) {
        const auto& name = wiring.node(group.first).name;
        const auto& layout = wiring.layout();
        gamma_ = layout.offset(name + ".weight");
        beta_ = layout.offset(name + ".bias");
        running_mean_ = layout.offset(name + ".running_mean");
        running_variance_ = layout.offset(name + ".running_var");
        for (auto* each : {&mean_, &inverse_deviation_, &scale_, &shift_, &by_input_, &constant_})
            each->resize(channels());
        sums_.resize(2 * channels() + 1);
    }

    bool is_collective() const override { return trained_; }

    void pack(const float* parameters, const float* buffers) override {
        if (trained_) return;
        for (std::size_t c = 0; c < channels(); ++c) {
            mean_[c] = (buffers + running_mean_)[c];
            inverse_deviation_[c] =
                static_cast<float>(1 / std::sqrt((buffers + running_variance_)[c] + options_.eps));
        }
        set_coefficients(parameters);
    }

    void forward(const Run& run) override {
        if (trained_) {
            take_statistics(run);
            set_coefficients(run.parameters);
        }
        if (image_.samples == 0) return;
        run.backend.norm_forward(
            run.at(x_), addend_ >= 0 ? run.at(addend_) : nullptr, image_.rows(), image_.channels,
            {mean_.data(), scale_.data(), shift_.data()}, group_.activation, run.at(y_));
    }

    void wire_backward(Wiring& wiring) override {
        if (!trained_) return;
        dy_ = wiring.incoming(group_.output, group_.activation);
        if (dy_.parts.empty()) return;
        wiring.value(group_.inputs[0]);
        if (group_.addend >= 0 && wiring.wants_gradient(group_.addend))
            wiring.share_gradient(group_.addend, dy_.sum, dy_.sum_is_shared);
        if (wiring.wants_gradient(group_.inputs[0])) dx_ = wiring.add_gradient(group_.inputs[0]);
    }

    void backward(const Run& run) override {
        if (dy_.parts.empty()) return;
        sum_gradients(run);
        finish_gradients(run);
        if (dx_ < 0 || image_.samples == 0) return;
        run.backend.norm_backward_data(
            run.at(dy_.sum), run.at(x_), image_.rows(), image_.channels,
            {mean_.data(), scale_.data(), by_input_.data(), constant_.data()}, run.at(dx_));
    }

  private:
    std::size_t channels() const { return static_cast<std::size_t>(image_.channels); }

    /// The rows' number is summed along with them.
    double share_sums(const Run& run) {
        sums_.back() = static_cast<double>(image_.rows());
        if (run.statistics != nullptr) run.statistics->sum(std::span<double>(sums_));
        return std::max(sums_.back(), 1.0);
    }

    void take_statistics(const Run& run) {
        std::ranges::fill(sums_, 0.0);
        if (image_.samples > 0)
            run.backend.norm_sums(run.at(x_), image_.rows(), image_.channels, sums_.data());
        const double rows = share_sums(run);
        if (sums_.back() == 0) return;  // no rank has samples
        for (std::size_t c = 0; c < channels(); ++c) {
            const double mean = sums_[c] / rows;
            const double variance = std::max(sums_[channels() + c] / rows - mean * mean, 0.0);
            mean_[c] = static_cast<float>(mean);
            inverse_deviation_[c] = static_cast<float>(1 / std::sqrt(variance + options_.eps));
            const double unbiased = variance * rows / std::max(rows - 1, 1.0);
            move(run.buffers[running_mean_ + static_cast<std::int64_t>(c)], mean);
            move(run.buffers[running_variance_ + static_cast<std::int64_t>(c)], unbiased);
        }
    }

    void move(float& running, double value) const {
        running = static_cast<float>((1 - options_.momentum) * running + options_.momentum * value);
    }

    void set_coefficients(const float* parameters) {
        for (std::size_t c = 0; c < channels(); ++c) {
            scale_[c] = (parameters + gamma_)[c] * inverse_deviation_[c];
            shift_[c] = (parameters + beta_)[c];
        }
    }

    void sum_gradients(const Run& run) {
        std::ranges::fill(sums_, 0.0);
        if (image_.samples == 0) return;
        run.backend.norm_backward_sums(dy_.addresses(run), dy_.y < 0 ? nullptr : run.at(dy_.y),
                                       run.at(x_), image_.rows(), image_.channels, mean_.data(),
                                       dy_.activation, dy_.needs_sum() ? run.at(dy_.sum) : nullptr,
                                       sums_.data());
    }

    /// This rank's part of the parameters' gradients; the data's coefficients from all ranks' sums:
    /// dx = scale (g - <g> - (x - mean) <g (x - mean)> / deviation^2)
    void finish_gradients(const Run& run) {
        for (std::size_t c = 0; c < channels(); ++c) {
            (run.gradients + beta_)[c] = static_cast<float>(sums_[c]);
            (run.gradients + gamma_)[c] =
                static_cast<float>(sums_[channels() + c] * inverse_deviation_[c]);
        }
        const double rows = share_sums(run);
        for (std::size_t c = 0; c < channels(); ++c) {
            const double scale = scale_[c], inverse = inverse_deviation_[c];
            constant_[c] = static_cast<float>(-scale * sums_[c] / rows);
            by_input_[c] =
                static_cast<float>(-scale * inverse * inverse * sums_[channels() + c] / rows);
        }
    }

    Group group_;
    bool trained_;
    BatchNorm options_;
    kernels::ImageShape image_;
    std::int64_t gamma_, beta_, running_mean_, running_variance_;
    std::vector<float> mean_, inverse_deviation_, scale_, shift_, by_input_, constant_;
    std::vector<double> sums_;  // [2, channels], then the rows
    int x_, addend_, y_, dx_ = -1;
    Incoming dy_;
};

}  // namespace

std::unique_ptr<Stage> make_norm_stage(const Group& group, Wiring& wiring) {
    return std::make_unique<NormStage>(group, wiring);
}

}  // namespace nanoatlas::nn
