#include <algorithm>
#include <cstring>
#include <numeric>

#include "kernels/cudnn/picture_kernels.hpp"
#include "kernels/cudnn/primitives.hpp"
#include "kernels/pictures.hpp"

namespace nanoatlas::kernels::cudnn {
namespace {

template <class T>
class DevicePictureReader final : public PictureReader {
  public:
    DevicePictureReader(const PictureFormat& format, DevicePointer device)
        : device_(std::move(device)),
          most_(format.most_pictures),
          task_(sizes_of(format)),
          mean_(task_.channels, *device_),
          deviation_(task_.channels, *device_),
          count_(1, *device_),
          addresses_(most_, *device_),
          views_(most_, *device_),
          others_(most_, *device_),
          shares_(most_, *device_),
          first_y_(outputs(), *device_),
          first_x_(outputs(), *device_),
          weights_y_(outputs() * task_.taps_y, *device_),
          weights_x_(outputs() * task_.taps_x, *device_),
          tones_(outputs() * task_.size, *device_) {
        device_->upload(std::span(format.input.mean), mean_.get());
        device_->upload(std::span(format.input.std), deviation_.get());
        task_.mean = mean_.get();
        task_.deviation = deviation_.get();
        task_.count = count_.get();
        task_.pixels = addresses_.get();
        task_.views = views_.get();
        task_.others = others_.get();
        task_.shares = shares_.get();
        task_.first_y = first_y_.get();
        task_.first_x = first_x_.get();
        task_.weights_y = weights_y_.get();
        task_.weights_x = weights_x_.get();
        task_.tones = tones_.get();
    }

    void hold(const std::uint8_t* pixels, std::int64_t count) override {
        held_ = DeviceArray<std::uint8_t>(count * picture_bytes(), *device_);
        device_->upload(std::span(pixels, static_cast<std::size_t>(count * picture_bytes())),
                        held_.get());
    }

    void set_batch(const PictureBatch& batch) override {
        const auto count = std::ssize(batch.views);
        if (count > most_) throw std::invalid_argument("more pictures than a reader was made for");
        const auto addresses =
            held_.get() != nullptr ? held_addresses(batch.numbers) : bring_over(batch.pixels);
        std::vector<std::int64_t> others(batch.others.begin(), batch.others.end());
        std::vector<float> shares(batch.shares.begin(), batch.shares.end());
        if (others.empty()) {
            others.resize(batch.views.size());
            std::iota(others.begin(), others.end(), 0);
            shares.assign(others.size(), 1.0F);
        }
        device_->upload(std::span(&count, 1), count_.get());
        device_->upload(std::span(addresses), addresses_.get());
        device_->upload(batch.views, views_.get());
        device_->upload(std::span(others), others_.get());
        device_->upload(std::span(shares), shares_.get());
    }

    void read(std::int64_t samples, void* to) override {
        augment(task_, device_->stream());
        mix_pictures(task_, samples, static_cast<T*>(to), device_->stream());
    }

  private:
    static PictureTask sizes_of(const PictureFormat& format) {
        const auto& input = format.input;
        return {.height = input.height,
                .width = input.width,
                .size = input.size,
                .channels = static_cast<int>(input.mean.size()),
                .taps_y = most_taps(input.height, input.size, input.height),
                .taps_x = most_taps(input.width, input.size, input.width),
                .most_pictures = format.most_pictures};
    }
    std::int64_t outputs() const { return most_ * task_.size; }
    std::int64_t picture_bytes() const {
        return static_cast<std::int64_t>(task_.height) * task_.width;
    }

    std::vector<const std::uint8_t*> held_addresses(std::span<const std::int64_t> numbers) const {
        std::vector<const std::uint8_t*> addresses;
        for (const auto number : numbers)
            addresses.push_back(held_.get() + number * picture_bytes());
        return addresses;
    }

    /// Copies the pictures to the device.
    std::vector<const std::uint8_t*> bring_over(std::span<const std::uint8_t* const> pixels) {
        if (!pinned_) {
            pinned_ = allocate_pinned(most_ * picture_bytes());
            staging_ = DeviceArray<std::uint8_t>(most_ * picture_bytes(), *device_);
        }
        device_->finish();  // the last batch is on its way until then
        auto* const home = static_cast<std::uint8_t*>(pinned_.get());
        std::vector<const std::uint8_t*> addresses;
        for (std::size_t i = 0; i < pixels.size(); ++i) {
            const auto offset = static_cast<std::int64_t>(i) * picture_bytes();
            std::memcpy(home + offset, pixels[i], static_cast<std::size_t>(picture_bytes()));
            addresses.push_back(staging_.get() + offset);
        }
        device_->upload(std::span(home, pixels.size() * static_cast<std::size_t>(picture_bytes())),
                        staging_.get());
        return addresses;
    }

    DevicePointer device_;
    std::int64_t most_;
    PictureTask task_;
    DeviceArray<float> mean_, deviation_;
    DeviceArray<std::int64_t> count_;
    DeviceArray<const std::uint8_t*> addresses_;
    DeviceArray<ImageView> views_;
    DeviceArray<std::int64_t> others_;
    DeviceArray<float> shares_;
    DeviceArray<int> first_y_, first_x_;
    DeviceArray<float> weights_y_, weights_x_, tones_;
    DeviceArray<std::uint8_t> held_, staging_;
    PinnedBlock pinned_;
};

}  // namespace

template <class T>
std::unique_ptr<PictureReader> make_picture_reader(const PictureFormat& format,
                                                   DevicePointer device) {
    if (format.input.width > widest_picture) return nullptr;
    return std::make_unique<DevicePictureReader<T>>(format, std::move(device));
}

template std::unique_ptr<PictureReader> make_picture_reader<float>(const PictureFormat&,
                                                                   DevicePointer);
template std::unique_ptr<PictureReader> make_picture_reader<__nv_bfloat16>(const PictureFormat&,
                                                                           DevicePointer);

}  // namespace nanoatlas::kernels::cudnn
