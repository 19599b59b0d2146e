#include "nn/train/augmentation.hpp"

#include "base/random.hpp"

namespace nanoatlas::nn {

kernels::ImageView whole_view(int height, int width) {
    return {.height = static_cast<float>(height), .width = static_cast<float>(width)};
}

kernels::ImageView random_view(const AugmentationSettings& settings, int height, int width,
                               std::uint64_t seed, const Variation& variation) {
    base::Random random(seed, base::fnv1a("augmentation"), variation.number, variation.row);
    const double share = random.uniform(settings.smallest_crop, 1);
    kernels::ImageView view{.height = static_cast<float>(share * height),
                            .width = static_cast<float>(share * width)};
    view.top = static_cast<float>((1 - share) * height * random.uniform());
    view.left = static_cast<float>((1 - share) * width * random.uniform());
    view.orientation =
        static_cast<std::uint8_t>(random.below(static_cast<std::uint64_t>(settings.orientations)));
    view.gain = static_cast<float>(random.uniform(1 - settings.gain, 1 + settings.gain));
    // The gain turns about mid-grey, so that it changes the contrast and not the brightness.
    view.offset = 0.5F * (1 - view.gain) +
                  static_cast<float>(random.uniform(-settings.offset, settings.offset));
    view.noise = static_cast<float>(random.uniform(0, settings.noise));
    view.noise_key = random();
    return view;
}

}  // namespace nanoatlas::nn
