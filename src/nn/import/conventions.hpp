// How others than torchvision name the tensors of the zoo's networks.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nanoatlas::nn {

/// Their text for ours. At the beginning of a name; anywhere if it begins with a dot.
struct Renaming {
    std::string_view theirs, ours;
};

/// The names that somebody gives to a family of networks.
struct Convention {
    std::string_view whose;   ///< "timm"
    std::string_view family;  ///< what the networks' names begin with: "mobilenet_v2"
    /// Where blocks are counted within stages, "blocks.3.1.", the number of the first when they are
    /// counted through all stages: so the renamings below see them.
    std::optional<int> first_block;
    std::vector<Renaming> renamings;  ///< in the order in which they are applied
};

/// Those of a network: its own names first, which need no renaming.
std::vector<const Convention*> conventions_of(std::string_view arch);

/// The names, with blocks counted through all stages if the convention counts them within. What
/// stands before "blocks." is no matter: each such part has a count of its own.
std::vector<std::string> count_blocks(std::vector<std::string> names, const Convention& convention);

/// A name of the convention, its blocks counted through, as ours.
std::string rename(std::string name, const Convention& convention);

}  // namespace nanoatlas::nn
