// What a network is fed with: pictures made fit for it, or features computed before.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "kernels/pictures.hpp"
#include "nn/train/augmentation.hpp"
#include "nn/train/images.hpp"

namespace nanoatlas::nn {

class ImageInputs;

/// Pictures for a back end that makes input of them itself.
struct Pictures {
    std::vector<const std::uint8_t*> pixels{};
    std::vector<std::int64_t> rows{};
    std::vector<kernels::ImageView> views{};
    std::vector<std::int64_t> others{};  ///< by sample: the picture that it is mixed with
    std::vector<float> shares{};

    kernels::PictureBatch batch() const {
        return {
            .pixels = pixels, .numbers = rows, .views = views, .others = others, .shares = shares};
    }
};

/// Samples by row of the corpus.
class Inputs {
  public:
    virtual ~Inputs() = default;
    /// Values of one sample.
    virtual std::int64_t elements() const = 0;
    /// [rows, elements] as they are.
    virtual std::vector<float> plain(std::span<const std::int64_t> rows) const = 0;
    /// [variations, elements] as training sees them.
    virtual std::vector<float> varied(std::span<const Variation> variations) const = 0;
    /// These rows will be asked for next.
    virtual void will_need(std::span<const std::int64_t>) const {}
    /// These if they are pictures, else null.
    virtual const ImageInputs* pictures() const { return nullptr; }
};

/// Pictures scaled to the network's size, normalised; augmented in training.
/// Needs a live kernels::kokkos::Runtime.
class ImageInputs : public Inputs {
  public:
    /// images must outlive this. mean, std: [channels]. augmentation: none leaves training images
    /// as they are.
    ImageInputs(const Images& images, int size, const std::vector<double>& mean,
                const std::vector<double>& std, std::optional<AugmentationSettings> augmentation,
                std::uint64_t seed);

    std::int64_t elements() const override;
    std::vector<float> plain(std::span<const std::int64_t> rows) const override;
    std::vector<float> varied(std::span<const Variation> variations) const override;
    void will_need(std::span<const std::int64_t> rows) const override { images_.will_need(rows); }
    const ImageInputs* pictures() const override { return this; }

    const Images& images() const { return images_; }
    const kernels::InputFormat& format() const { return format_; }
    /// What plain() and plain_pictures() show of a row from now on, instead of the whole picture.
    void show(std::function<kernels::ImageView(std::int64_t row)> view) {
        plain_view_ = std::move(view);
    }
    /// What plain() and varied() would make input of.
    Pictures plain_pictures(std::span<const std::int64_t> rows) const;
    Pictures varied_pictures(std::span<const Variation> variations) const;

  private:
    std::vector<kernels::ImageView> plain_views(std::span<const std::int64_t> rows) const;
    std::vector<kernels::ImageView> views(std::span<const Variation> variations) const;
    Pictures pictures_of(std::vector<std::int64_t> rows,
                         std::vector<kernels::ImageView> views) const;
    std::vector<float> make(std::span<const std::int64_t> rows,
                            std::span<const kernels::ImageView> views) const;

    const Images& images_;
    kernels::InputFormat format_;
    std::optional<AugmentationSettings> augmentation_;
    std::uint64_t seed_;
    std::function<kernels::ImageView(std::int64_t row)> plain_view_;
};

/// Features of some rows, computed once by a frozen backbone.
class FeatureInputs : public Inputs {
  public:
    /// values: [rows, elements]; all_rows: rows of the corpus
    FeatureInputs(std::vector<float> values, std::span<const std::int64_t> rows,
                  std::int64_t all_rows);

    std::int64_t elements() const override { return elements_; }
    std::vector<float> plain(std::span<const std::int64_t> rows) const override;
    std::vector<float> varied(std::span<const Variation> variations) const override;

  private:
    std::vector<float> values_;
    std::vector<std::int64_t> place_;  ///< by row of the corpus
    std::int64_t elements_;
};

}  // namespace nanoatlas::nn
