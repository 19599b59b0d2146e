#include "kernels/reference/loss.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/cudnn/loss_kernels.hpp"
#include "kernels/cudnn/primitives.hpp"

namespace nanoatlas::kernels::cudnn {
namespace {

template <class T>
class DeviceLoss final : public Loss {
  public:
    DeviceLoss(const LossShape& shape, DevicePointer device)
        : device_(std::move(device)),
          shape_(shape),
          targets_(2 * samples(), *device_),
          class_weights_(shape.classes(), *device_),
          numbers_(1, *device_),
          losses_(samples(), *device_),
          correct_(samples(), *device_),
          sums_(3, *device_),
          home_(allocate_pinned(sizeof(LossSums))) {
        std::vector<std::int32_t> first{0}, inner;
        for (const auto& classes : shape.inner) {
            inner.insert(inner.end(), classes.begin(), classes.end());
            first.push_back(static_cast<std::int32_t>(inner.size()));
        }
        inner_first_ = DeviceArray<std::int32_t>(std::ssize(first), *device_);
        inner_ = DeviceArray<std::int32_t>(std::ssize(inner), *device_);
        device_->upload(std::span(first), inner_first_.get());
        device_->upload(std::span(inner), inner_.get());
    }

    void set_targets(const LossTargets& given) override {
        std::vector<DeviceTarget> targets(static_cast<std::size_t>(2 * samples()), {-1, 0, 0});
        for (std::size_t i = 0; i < given.labels.size(); ++i) {
            auto* to = targets.data() + 2 * i;
            for (const auto& target : reference::targets_of(i, shape_, given))
                *to++ = {static_cast<std::int64_t>(target.label),
                         given.weight > 0 ? target.share / given.weight : 0,
                         (1 - given.label_smoothing) * target.weight};
        }
        std::vector<float> weights(static_cast<std::size_t>(shape_.classes()), 1.0F);
        std::ranges::copy(given.class_weights, weights.begin());
        const LossNumbers numbers{
            .spread = given.label_smoothing / static_cast<double>(shape_.classes()),
            .weight_sum = std::accumulate(weights.begin(), weights.end(), 0.0),
            .factor = given.factor};
        device_->upload(std::span(targets), targets_.get());
        device_->upload(std::span(weights), class_weights_.get());
        device_->upload(std::span(&numbers, 1), numbers_.get());
    }

    void run(const void* logits, void* gradient) override {
        const LossTask task{.logits = shape_.logits,
                            .targets = targets_.get(),
                            .class_weights = class_weights_.get(),
                            .numbers = numbers_.get(),
                            .inner_first = inner_first_.get(),
                            .inner = inner_.get(),
                            .losses = losses_.get(),
                            .correct = correct_.get(),
                            .sums = sums_.get()};
        softmax_cross_entropy(task, static_cast<const T*>(logits), static_cast<T*>(gradient),
                              device_->stream());
        if (device_->sums() != nullptr) device_->sums()->sum({sums_.get(), 3});
        check(cudaMemcpyAsync(home_.get(), sums_.get(), sizeof(LossSums), cudaMemcpyDeviceToHost,
                              device_->stream()),
              "bring the loss home");
    }

    LossSums result() override {
        device_->finish();
        return *static_cast<const LossSums*>(home_.get());
    }

    std::vector<std::int64_t> not_finite() const override {
        std::vector<double> losses(static_cast<std::size_t>(samples()));
        check(cudaMemcpyAsync(losses.data(), losses_.get(), losses.size() * sizeof(double),
                              cudaMemcpyDeviceToHost, device_->stream()),
              "bring losses home");
        device_->finish();
        std::vector<std::int64_t> found;
        for (std::size_t i = 0; i < losses.size(); ++i)
            if (!std::isfinite(losses[i])) found.push_back(static_cast<std::int64_t>(i));
        return found;
    }

    const double* loss() const override { return sums_.get(); }

  private:
    static_assert(sizeof(LossSums) == 3 * sizeof(double));

    std::int64_t samples() const { return shape_.logits.samples; }

    DevicePointer device_;
    LossShape shape_;
    DeviceArray<DeviceTarget> targets_;
    DeviceArray<float> class_weights_;
    DeviceArray<LossNumbers> numbers_;
    DeviceArray<double> losses_, correct_, sums_;
    DeviceArray<std::int32_t> inner_first_, inner_;
    PinnedBlock home_;
};

}  // namespace

template <class T>
std::unique_ptr<Loss> make_loss(const LossShape& shape, DevicePointer device) {
    return std::make_unique<DeviceLoss<T>>(shape, std::move(device));
}

template std::unique_ptr<Loss> make_loss<float>(const LossShape&, DevicePointer);
template std::unique_ptr<Loss> make_loss<__nv_bfloat16>(const LossShape&, DevicePointer);

}  // namespace nanoatlas::kernels::cudnn
