#include "nn/train/inputs.hpp"

#include <algorithm>

#include "kernels/kokkos/augment.hpp"

namespace nanoatlas::nn {
namespace {

std::vector<std::int64_t> rows_of(std::span<const Variation> variations) {
    std::vector<std::int64_t> rows;
    for (const auto& variation : variations) rows.push_back(variation.row);
    return rows;
}

}  // namespace

ImageInputs::ImageInputs(const Images& images, int size, const std::vector<double>& mean,
                         const std::vector<double>& std,
                         std::optional<AugmentationSettings> augmentation, std::uint64_t seed)
    : images_(images),
      format_{.height = images.height(),
              .width = images.width(),
              .size = size,
              .mean = {mean.begin(), mean.end()},
              .std = {std.begin(), std.end()}},
      augmentation_(augmentation),
      seed_(seed) {}

std::int64_t ImageInputs::elements() const {
    return static_cast<std::int64_t>(format_.mean.size()) * format_.size * format_.size;
}

std::vector<float> ImageInputs::make(std::span<const std::int64_t> rows,
                                     std::span<const kernels::ImageView> views) const {
    std::vector<const std::uint8_t*> pictures;
    for (const auto row : rows) pictures.push_back(images_.row(row));
    std::vector<float> values(rows.size() * static_cast<std::size_t>(elements()));
    kernels::kokkos::augment(pictures, views, format_, values);
    return values;
}

std::vector<float> ImageInputs::plain(std::span<const std::int64_t> rows) const {
    return make(rows, plain_views(rows));
}

std::vector<float> ImageInputs::varied(std::span<const Variation> variations) const {
    return make(rows_of(variations), views(variations));
}

Pictures ImageInputs::plain_pictures(std::span<const std::int64_t> rows) const {
    return pictures_of({rows.begin(), rows.end()}, plain_views(rows));
}

Pictures ImageInputs::varied_pictures(std::span<const Variation> variations) const {
    return pictures_of(rows_of(variations), views(variations));
}

std::vector<kernels::ImageView> ImageInputs::plain_views(std::span<const std::int64_t> rows) const {
    std::vector<kernels::ImageView> views;
    for (const auto row : rows)
        views.push_back(plain_view_ ? plain_view_(row) : whole_view(format_.height, format_.width));
    return views;
}

std::vector<kernels::ImageView> ImageInputs::views(std::span<const Variation> variations) const {
    std::vector<kernels::ImageView> views;
    for (const auto& variation : variations)
        views.push_back(augmentation_ ? random_view(*augmentation_, format_.height, format_.width,
                                                    seed_, variation)
                                      : whole_view(format_.height, format_.width));
    return views;
}

Pictures ImageInputs::pictures_of(std::vector<std::int64_t> rows,
                                  std::vector<kernels::ImageView> views) const {
    Pictures pictures{.rows = std::move(rows), .views = std::move(views)};
    for (const auto row : pictures.rows) pictures.pixels.push_back(images_.row(row));
    return pictures;
}

FeatureInputs::FeatureInputs(std::vector<float> values, std::span<const std::int64_t> rows,
                             std::int64_t all_rows)
    : values_(std::move(values)),
      place_(static_cast<std::size_t>(all_rows), -1),
      elements_(rows.empty() ? 0 : static_cast<std::int64_t>(values_.size() / rows.size())) {
    for (std::size_t i = 0; i < rows.size(); ++i)
        place_[static_cast<std::size_t>(rows[i])] = static_cast<std::int64_t>(i);
}

std::vector<float> FeatureInputs::plain(std::span<const std::int64_t> rows) const {
    std::vector<float> chosen;
    chosen.reserve(rows.size() * static_cast<std::size_t>(elements_));
    for (const auto row : rows) {
        const auto begin = values_.begin() + place_[static_cast<std::size_t>(row)] * elements_;
        chosen.insert(chosen.end(), begin, begin + elements_);
    }
    return chosen;
}

std::vector<float> FeatureInputs::varied(std::span<const Variation> variations) const {
    return plain(rows_of(variations));
}

}  // namespace nanoatlas::nn
