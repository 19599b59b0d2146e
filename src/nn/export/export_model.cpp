#include "nn/export/export_model.hpp"

#include <nlohmann/json.hpp>

#include "nn/export/safetensors.hpp"
#include "nn/zoo/zoo.hpp"

namespace nanoatlas::nn {

void spread_to_colour(ModelFile& model) {
    if (!model.is_grey()) return;
    constexpr std::size_t channels = 3;
    auto& weight = model.tensors.at(zoo::ends(model.arch).stem + ".weight");
    const auto kernel = static_cast<std::size_t>(weight.shape[2] * weight.shape[3]);
    std::vector<float> spread;
    spread.reserve(channels * weight.values.size());
    for (std::size_t first = 0; first < weight.values.size(); first += kernel)
        for (std::size_t c = 0; c < channels; ++c)
            for (std::size_t p = 0; p < kernel; ++p)
                spread.push_back(weight.values[first + p] / float{channels});
    weight.values = std::move(spread);
    weight.shape[1] = channels;
    model.mean.resize(channels, model.mean.front());
    model.std.resize(channels, model.std.front());
}

std::string export_model(const ModelFile& model, const std::string& provenance) {
    const auto as_json = [](const auto& values) {
        return nlohmann::json(values).dump(-1, ' ', false,
                                           nlohmann::json::error_handler_t::replace);
    };
    return safetensors_bytes(model.tensors, {{"format", "pt"},
                                             {"arch", model.arch},
                                             {"classes", as_json(model.classes)},
                                             {"mean", as_json(model.mean)},
                                             {"std", as_json(model.std)},
                                             {"size", std::to_string(model.size)},
                                             {"provenance", provenance}});
}

}  // namespace nanoatlas::nn
