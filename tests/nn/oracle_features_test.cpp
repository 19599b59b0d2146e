// EfficientNet-lite0's features of real micrographs against PyTorch's, in colour and folded to
// grey.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "image/codecs.hpp"
#include "nn/import/grey.hpp"
#include "nn/import/import_model.hpp"
#include "nn/network.hpp"
#include "nn/zoo/zoo.hpp"
#include "store/npy.hpp"
#include "tests/mpi_test.hpp"
#include "tests/shared_data.hpp"

namespace nanoatlas::nn {
namespace {

using testing::world;

constexpr int side = 224;
constexpr int feature_count = 1280;
using Pixels = std::vector<std::uint8_t>;

/// One axis of Pillow's resize with the triangle filter, which widens by the scale: pixel i is a
/// weighted mean of those round its centre, in fixed point as Pillow's, so to the bit.
/// read(j), write(i, value): a pixel of the line before and after
template <class ReadPixel, class WritePixel>
void resize_line(int length, int out_length, ReadPixel read, WritePixel write) {
    constexpr std::int64_t one = 1 << 22;
    const double scale = static_cast<double>(length) / out_length;
    const double support = std::max(scale, 1.0);
    for (int i = 0; i < out_length; ++i) {
        const double centre = (i + 0.5) * scale;
        const int first = std::max(0, static_cast<int>(centre - support + 0.5));
        const int end = std::min(length, static_cast<int>(centre + support + 0.5));
        const auto weight = [&](int j) {
            return std::max(0.0, 1 - std::abs(j - centre + 0.5) / support);
        };
        double total = 0;
        for (int j = first; j < end; ++j) total += weight(j);
        std::int64_t sum = one / 2;
        for (int j = first; j < end; ++j)
            sum += static_cast<std::int64_t>(weight(j) / total * one + 0.5) * read(j);
        write(i, static_cast<std::uint8_t>(std::clamp<std::int64_t>(sum / one, 0, 255)));
    }
}

Pixels resize(const Pixels& pixels, int height, int width) {
    const auto at = [](int y, int x, int row_length) {
        return static_cast<std::size_t>(y) * static_cast<std::size_t>(row_length) +
               static_cast<std::size_t>(x);
    };
    Pixels narrow(at(height, 0, side)), small(at(side, 0, side));
    for (int y = 0; y < height; ++y)
        resize_line(
            width, side, [&](int x) { return pixels[at(y, x, width)]; },
            [&](int x, std::uint8_t value) { narrow[at(y, x, side)] = value; });
    for (int x = 0; x < side; ++x)
        resize_line(
            height, side, [&](int y) { return narrow[at(y, x, side)]; },
            [&](int y, std::uint8_t value) { small[at(y, x, side)] = value; });
    return small;
}

/// As the oracle was made: the bottom 6.7 % cut off, squashed to a square.
Pixels prepare(const std::filesystem::path& path) {
    const auto decoded = image::decode(image::read_file(path.string())).image;
    const int kept = static_cast<int>(decoded.height * (1 - 0.067));
    const auto count = static_cast<std::size_t>(kept) * static_cast<std::size_t>(decoded.width);
    return resize(Pixels(decoded.samples.begin(),
                         decoded.samples.begin() + static_cast<std::ptrdiff_t>(count)),
                  kept, decoded.width);
}

/// [samples, channels, side, side], grey in each channel.
std::vector<float> normalised(const std::vector<Pixels>& pictures, const ModelFile& model) {
    std::vector<float> images;
    for (const auto& picture : pictures)
        for (std::size_t c = 0; c < model.mean.size(); ++c)
            for (const auto pixel : picture)
                images.push_back(
                    static_cast<float>((pixel / 255.0 - model.mean[c]) / model.std[c]));
    return images;
}

std::vector<float> features_of(const std::vector<Pixels>& pictures, const ModelFile& model) {
    const auto graph = zoo::make("efficientnet_lite0", {.channels = model.channels()});
    Network network(graph, {.batch = static_cast<std::int64_t>(pictures.size())}, world());
    network.load(model.tensors);
    network.forward(normalised(pictures, model));
    return network.value(graph.node(graph.features()).name);
}

/// |a - b| / |b| of one image's features, the worst of all images.
double worst_distance(std::span<const float> a, std::span<const float> b) {
    double worst = 0;
    for (std::size_t first = 0; first < b.size(); first += feature_count) {
        double difference = 0, length = 0;
        for (std::size_t i = first; i < first + feature_count; ++i) {
            difference += std::pow(a[i] - b[i], 2);
            length += std::pow(b[i], 2);
        }
        worst = std::max(worst, std::sqrt(difference / length));
    }
    return worst;
}

TEST(OracleFeatures, efficientnet_lite0_on_micrographs) {
    NEEDS_SHARED("oracles/ncm-features/features.npy");
    const std::string weights = NANOATLAS_WEIGHTS "/efficientnet_lite0.pth";
    if (!std::filesystem::exists(weights)) GTEST_SKIP() << "skipped: " << weights << " is absent";

    std::vector<std::string> files;
    const auto folder = testing::shared_data() / "data/sem-ncm/images";
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
        if (entry.path().extension() == ".jpg") files.push_back(entry.path().string());
    std::ranges::sort(files);
    const auto oracle =
        store::read_npy<float>(testing::shared_data() / "oracles/ncm-features/features.npy");
    ASSERT_EQ(static_cast<std::int64_t>(files.size()), oracle.shape[0]);

    std::vector<Pixels> pictures;
    std::vector<float> expected;
    for (std::size_t i = 7; i < files.size(); i += 200) {
        pictures.push_back(prepare(files[i]));
        const auto row = oracle.values.begin() + static_cast<std::ptrdiff_t>(i * feature_count);
        expected.insert(expected.end(), row, row + feature_count);
    }
    const auto colour = import_model(weights, {.arch = "efficientnet_lite0", .grey = false}).model;
    auto grey = colour;
    fold_to_grey(grey);
    const auto in_colour = features_of(pictures, colour);
    const double to_torch = worst_distance(in_colour, expected);
    const double to_grey = worst_distance(features_of(pictures, grey), in_colour);
    std::printf("efficientnet_lite0: from PyTorch %.2e, grey from colour %.2e\n", to_torch,
                to_grey);
    EXPECT_LT(to_torch, 3e-5);
    EXPECT_LT(to_grey, 0.03);
}

}  // namespace
}  // namespace nanoatlas::nn
