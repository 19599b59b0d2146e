#include "nn/import/conventions.hpp"

#include <fmt/core.h>

#include <map>
#include <optional>
#include <utility>

#include "base/number.hpp"

namespace nanoatlas::nn {

namespace {

/// Sources: timm (huggingface/pytorch-image-models), timm/models/{vgg,convnext}.py and
/// timm/models/_efficientnet_{blocks,builder}.py; facebookresearch/ConvNeXt, models/convnext.py;
/// torchvision/models/densenet.py, _load_state_dict. ResNets, DenseNets and Inception have
/// torchvision's names in timm too.
const std::vector<Convention>& conventions() {
    static const std::vector<Convention> table = {
        {.whose = "", .family = "", .first_block = {}, .renamings = {}},
        {.whose = "torchvision before 0.3",
         .family = "densenet",
         .first_block = {},
         .renamings = {{".norm.1.", ".norm1."},
                       {".norm.2.", ".norm2."},
                       {".conv.1.", ".conv1."},
                       {".conv.2.", ".conv2."}}},
        {.whose = "timm",
         .family = "vgg",
         .first_block = {},
         .renamings = {{"pre_logits.fc1.", "classifier.0."},
                       {"pre_logits.fc2.", "classifier.3."},
                       {"head.fc.", "classifier.6."}}},
        {.whose = "timm",
         .family = "efficientnet_lite",
         .first_block = 0,
         .renamings = {{"conv_stem.", "_conv_stem."},
                       {"bn1.", "_bn0."},
                       {"blocks.0.conv_pw.", "_blocks.0._project_conv."},  // it has no expansion
                       {"blocks.0.bn1.", "_blocks.0._bn1."},
                       {"blocks.0.bn2.", "_blocks.0._bn2."},
                       {"blocks.", "_blocks."},
                       {".conv_pw.", "._expand_conv."},
                       {".bn1.", "._bn0."},
                       {".conv_dw.", "._depthwise_conv."},
                       {".bn2.", "._bn1."},
                       {".conv_pwl.", "._project_conv."},
                       {".bn3.", "._bn2."},
                       {"conv_head.", "_conv_head."},
                       {"bn2.", "_bn1."},
                       {"classifier.", "_fc."}}},
        {.whose = "timm",
         .family = "mobilenet_v2",
         .first_block = 1,
         .renamings = {{"conv_stem.", "features.0.0."},
                       {"bn1.", "features.0.1."},
                       {"blocks.1.conv_dw.", "features.1.conv.0.0."},  // it has no expansion
                       {"blocks.1.bn1.", "features.1.conv.0.1."},
                       {"blocks.1.conv_pw.", "features.1.conv.1."},
                       {"blocks.1.bn2.", "features.1.conv.2."},
                       {"blocks.", "features."},
                       {".conv_pw.", ".conv.0.0."},
                       {".bn1.", ".conv.0.1."},
                       {".conv_dw.", ".conv.1.0."},
                       {".bn2.", ".conv.1.1."},
                       {".conv_pwl.", ".conv.2."},
                       {".bn3.", ".conv.3."},
                       {"conv_head.", "features.18.0."},
                       {"bn2.", "features.18.1."},
                       {"classifier.", "classifier.1."}}},
        {.whose = "timm",
         .family = "convnext",
         .first_block = {},
         .renamings = {{"stem.", "features.0."},
                       {"stages.0.blocks.", "features.1."},
                       {"stages.1.downsample.", "features.2."},
                       {"stages.1.blocks.", "features.3."},
                       {"stages.2.downsample.", "features.4."},
                       {"stages.2.blocks.", "features.5."},
                       {"stages.3.downsample.", "features.6."},
                       {"stages.3.blocks.", "features.7."},
                       {"head.norm.", "classifier.0."},
                       {"head.fc.", "classifier.2."},
                       {".gamma", ".layer_scale"},
                       {".conv_dw.", ".block.0."},
                       {".norm.", ".block.2."},
                       {".mlp.fc1.", ".block.3."},
                       {".mlp.fc2.", ".block.5."}}},
        {.whose = "its authors",
         .family = "convnext",
         .first_block = {},
         .renamings = {{"downsample_layers.0.", "features.0."},
                       {"stages.0.", "features.1."},
                       {"downsample_layers.1.", "features.2."},
                       {"stages.1.", "features.3."},
                       {"downsample_layers.2.", "features.4."},
                       {"stages.2.", "features.5."},
                       {"downsample_layers.3.", "features.6."},
                       {"stages.3.", "features.7."},
                       {"norm.", "classifier.0."},
                       {"head.", "classifier.2."},
                       {".gamma", ".layer_scale"},
                       {".dwconv.", ".block.0."},
                       {".norm.", ".block.2."},
                       {".pwconv1.", ".block.3."},
                       {".pwconv2.", ".block.5."}}},
    };
    return table;
}

/// A name cut at "blocks.<stage>.<block>.".
struct BlockName {
    std::string before, behind;
    std::pair<int, int> place;  ///< stage, block within it
};

std::optional<BlockName> cut_at_block(const std::string& name) {
    constexpr std::string_view word = "blocks.";
    auto start = name.starts_with(word) ? 0 : name.find(".blocks.");
    if (start == std::string::npos) return std::nullopt;
    start = name.find(word, start) + word.size();
    const auto stage_end = name.find('.', start);
    if (stage_end == std::string::npos) return std::nullopt;
    const auto block_end = name.find('.', stage_end + 1);
    if (block_end == std::string::npos) return std::nullopt;
    const auto whole = std::string_view(name);
    const auto stage = base::parse_number<int>(whole.substr(start, stage_end - start));
    const auto block =
        base::parse_number<int>(whole.substr(stage_end + 1, block_end - stage_end - 1));
    if (!stage || !block) return std::nullopt;
    return BlockName{name.substr(0, start), name.substr(block_end), {*stage, *block}};
}

}  // namespace

std::vector<const Convention*> conventions_of(std::string_view arch) {
    std::vector<const Convention*> found;
    for (const auto& convention : conventions())
        if (arch.starts_with(convention.family)) found.push_back(&convention);
    return found;
}

std::vector<std::string> count_blocks(std::vector<std::string> names,
                                      const Convention& convention) {
    if (!convention.first_block) return names;
    std::map<std::string, std::map<std::pair<int, int>, int>> numbers;  // by part, then by place
    for (const auto& name : names)
        if (const auto cut = cut_at_block(name)) numbers[cut->before].emplace(cut->place, 0);
    for (auto& [part, places] : numbers) {
        int number = *convention.first_block;
        for (auto& [place, its_number] : places) its_number = number++;
    }
    for (auto& name : names)
        if (const auto cut = cut_at_block(name))
            name =
                fmt::format("{}{}{}", cut->before, numbers[cut->before][cut->place], cut->behind);
    return names;
}

std::string rename(std::string name, const Convention& convention) {
    for (const auto& [theirs, ours] : convention.renamings) {
        const auto place = theirs.starts_with('.')    ? name.find(theirs)
                           : name.starts_with(theirs) ? 0
                                                      : std::string::npos;
        if (place != std::string::npos) name.replace(place, theirs.size(), ours);
    }
    return name;
}

}  // namespace nanoatlas::nn
