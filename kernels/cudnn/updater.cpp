#include <algorithm>

#include "kernels/cudnn/primitives.hpp"

namespace nanoatlas::kernels::cudnn {
namespace {

class DeviceUpdater final : public Updater {
  public:
    DeviceUpdater(const UpdateOptions& options, std::span<const UpdateSlice> slices,
                  DevicePointer device)
        : device_(std::move(device)),
          options_(options),
          steps_(std::ssize(slices), *device_),
          partial_(norm_blocks, *device_),
          factor_(1, *device_) {
        const auto chunks = plan_chunks(slices);
        chunk_count_ = std::ssize(chunks);
        chunks_ = DeviceArray<Chunk>(chunk_count_, *device_);
        device_->upload(std::span(chunks), chunks_.get());
    }

    void set_steps(std::span<const SliceStep> steps) override {
        device_->upload(steps, steps_.get());
    }

    void step(float* parameters, std::span<float> gradients, float* first, float* second,
              std::span<const double* const> losses) override {
        const bool may_shorten = options_.longest_gradient > 0;
        if (may_shorten)
            find_shortening(gradients, options_.longest_gradient, partial_.get(), factor_.get(),
                            device_->stream());
        UpdateTask task{.options = options_,
                        .chunk_count = chunk_count_,
                        .chunks = chunks_.get(),
                        .steps = steps_.get(),
                        .factor = may_shorten ? factor_.get() : nullptr,
                        .losses = {}};
        std::ranges::copy(losses, task.losses);
        update(task, gradients.data(), parameters, first, second, device_->stream());
    }

  private:
    DevicePointer device_;
    UpdateOptions options_;
    std::int64_t chunk_count_ = 0;
    DeviceArray<Chunk> chunks_;
    DeviceArray<SliceStep> steps_;
    DeviceArray<double> partial_;
    DeviceArray<float> factor_;
};

}  // namespace

std::unique_ptr<Updater> make_updater(const UpdateOptions& options,
                                      std::span<const UpdateSlice> slices, DevicePointer device) {
    return std::make_unique<DeviceUpdater>(options, slices, std::move(device));
}

}  // namespace nanoatlas::kernels::cudnn
