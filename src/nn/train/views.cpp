#include "nn/train/views.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "base/number.hpp"
#include "nn/train/augmentation.hpp"

namespace nanoatlas::nn {
namespace {

/// A part of an image: where the crop lies in the room that it leaves, from 0 (top, left) to 1.
struct Crop {
    float side, down, right;
};
constexpr Crop whole{.side = 1, .down = 0, .right = 0};

/// What a name stands for.
struct Kind {
    const char* name;
    int orientations;
    std::vector<Crop> crops;
};

const std::vector<Kind>& kinds() {
    constexpr float most = 0.75F;
    static const std::vector<Kind> table = {
        {"flips", 4, {whole}},
        {"symmetries", 8, {whole}},
        {"crops",
         1,
         {whole, {most, 0, 0}, {most, 0, 1}, {most, 1, 0}, {most, 1, 1}, {most, 0.5F, 0.5F}}},
        {"scales", 1, {whole, {0.8F, 0.5F, 0.5F}, {0.6F, 0.5F, 0.5F}}},
    };
    return table;
}

const Kind& kind_of(const std::string& name, const std::string& text) {
    for (const auto& kind : kinds())
        if (name == kind.name) return kind;
    throw InputError(
        fmt::format("'{}' of --views '{}' is no kind of views; give a number from 1 to 1000, or "
                    "flips, symmetries, crops, scales, or several of them: symmetries+crops",
                    name, text));
}

}  // namespace

ViewSet::ViewSet(const std::string& text, int height, int width)
    : height_(height), width_(width), count_(0) {
    if (const auto number = base::parse_number<std::int64_t>(text)) {
        VALIDATE(*number >= 1 && *number <= 1000, "--views {} is not in [1, 1000]", *number);
        count_ = *number;
        return;
    }
    int orientations = 1;
    std::vector<Crop> crops;
    for (std::size_t begin = 0; begin <= text.size();) {
        const auto end = std::min(text.find('+', begin), text.size());
        const auto& kind = kind_of(text.substr(begin, end - begin), text);
        orientations = std::max(orientations, kind.orientations);
        for (const auto& crop : kind.crops)
            if (crops.empty() || crop.side < 1) crops.push_back(crop);
        begin = end + 1;
    }
    for (const auto& crop : crops)
        for (int orientation = 0; orientation < orientations; ++orientation) {
            auto view = whole_view(height, width);
            view.top = crop.down * (1 - crop.side) * view.height;
            view.left = crop.right * (1 - crop.side) * view.width;
            view.height *= crop.side;
            view.width *= crop.side;
            view.orientation = static_cast<std::uint8_t>(orientation);
            fixed_.push_back(view);
        }
    count_ = std::ssize(fixed_);
}

kernels::ImageView ViewSet::view(std::int64_t number, std::int64_t row) const {
    if (!fixed_.empty()) return fixed_[static_cast<std::size_t>(number)];
    if (number == 0) return whole_view(height_, width_);
    return random_view({}, height_, width_, 0, {.row = row, .number = number});
}

}  // namespace nanoatlas::nn
