#include "reduce/autoencoder/file.hpp"

#include <algorithm>
#include <cmath>

#include "base/check.hpp"

namespace nanoatlas::reduce {
namespace {

constexpr std::string_view folder = "tensors/";

void check(const Autoencoder& autoencoder, const std::string& path) {
    const auto& [mean, deviation] = std::tie(autoencoder.mean, autoencoder.deviation);
    const auto scales = autoencoder.reads_pictures() ? 1 : autoencoder.input.elements();
    VALIDATE(std::ssize(mean) == scales && mean.size() == deviation.size(),
             "cannot use the autoencoder of '{}': it wants {} means and deviations, and has {} and "
             "{}; make it again",
             path, scales, mean.size(), deviation.size());
    for (std::size_t i = 0; i < mean.size(); ++i)
        VALIDATE(std::isfinite(mean[i]) && std::isfinite(deviation[i]) && deviation[i] > 0,
                 "cannot use the autoencoder of '{}': column {} has mean {} and deviation {}; make "
                 "it again",
                 path, i, mean[i], deviation[i]);
    for (const auto& [name, tensor] : autoencoder.tensors)
        VALIDATE(std::ranges::all_of(tensor.values, [](float x) { return std::isfinite(x); }),
                 "cannot use the autoencoder of '{}': its tensor '{}' holds values that are not "
                 "finite; make it again",
                 path, name);
}

nn::Shape read_shape(const store::ArtefactReader& file) {
    const auto extents = file.numbers("input_shape");
    const auto in_range = [](double extent) {
        return extent >= 1 && extent <= (1 << 20) && extent == std::trunc(extent);
    };
    VALIDATE(extents.size() == 3 && std::ranges::all_of(extents, in_range),
             "cannot use the autoencoder of '{}': the shape of its input makes no sense; make it "
             "again",
             file.path());
    return {static_cast<std::int64_t>(extents[0]), static_cast<std::int64_t>(extents[1]),
            static_cast<std::int64_t>(extents[2])};
}

}  // namespace

void write(store::ArtefactWriter& writer, const Autoencoder& autoencoder) {
    for (const auto& [name, tensor] : autoencoder.tensors)
        writer.write_whole<float>(std::string(folder) + name, tensor.values, tensor.shape);
    const auto scales = std::ssize(autoencoder.mean);
    writer.write_whole<double>("mean", autoencoder.mean, {scales});
    writer.write_whole<double>("deviation", autoencoder.deviation, {scales});
    const auto& shape = autoencoder.input;
    writer.attribute("input_shape", std::vector<double>{static_cast<double>(shape.channels),
                                                        static_cast<double>(shape.height),
                                                        static_cast<double>(shape.width)});
    writer.attribute("hidden", hidden_text(autoencoder.hidden));
    writer.attribute("components", autoencoder.code);
}

Autoencoder read_autoencoder(const store::ArtefactReader& file) {
    Autoencoder autoencoder{.input = read_shape(file),
                            .hidden = parse_hidden(file.text("hidden")),
                            .code = static_cast<std::int64_t>(file.number("components")),
                            .mean = file.read<double>("mean"),
                            .deviation = file.read<double>("deviation"),
                            .tensors = {}};
    for (const auto& dataset : file.datasets())
        if (dataset.starts_with(folder))
            autoencoder.tensors.emplace(
                dataset.substr(folder.size()),
                nn::HostTensor{file.shape(dataset), file.read<float>(dataset)});
    check(autoencoder, file.path());
    return autoencoder;
}

}  // namespace nanoatlas::reduce
