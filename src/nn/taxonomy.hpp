// Classes whose names are paths, as a tree: "Nanowires/Forest/crust" lies below "Nanowires/Forest",
// which lies below "Nanowires".
//
// A network has an output for each leaf; the probability of an inner node is the sum of those of
// its leaves. A label below leaves() is that output; leaves() + i is the inner node i, and means:
// one of its leaves, it is not known which. Names without a slash make a tree of one level.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nanoatlas::nn {

/// Leaves below each inner node, ascending.
using InnerNodes = std::vector<std::vector<std::int32_t>>;

class Taxonomy {
  public:
    /// leaves: names by output of the network. A leaf that has others below it stays one, beside
    /// them: what is in this node and in none of theirs.
    explicit Taxonomy(std::span<const std::string> leaves);

    std::int32_t leaves() const { return leaves_; }
    /// Of all labels: the leaves, then the inner nodes in alphabetical order.
    const std::vector<std::string>& names() const { return names_; }
    const InnerNodes& inner() const { return inner_; }
    /// Most parts of a name; 1 where no name is a path.
    int depth() const { return depth_; }
    /// Parts of a label's name.
    int depth_of(std::int32_t label) const;

    /// The label of a name, or of the nearest node above it that there is.
    std::optional<std::int32_t> find(std::string_view name) const;

    /// Whether a label is a node or a leaf of it.
    bool lies_in(std::int32_t label, std::int32_t node) const;

    /// The tree cut at a depth: classes are the nodes there and the leaves above.
    struct Level {
        std::vector<std::string> names;
        std::vector<std::int32_t> of_label;  ///< by label; -1: an inner node above the cut

        /// leaves: probabilities of all of them
        std::vector<float> probabilities(std::span<const float> leaves) const;
    };
    /// depth: in [1, depth()]; at the last one the classes are the leaves
    Level level(int depth) const;

  private:
    std::optional<std::int32_t> find_exactly(std::string_view name) const;

    std::int32_t leaves_;
    std::vector<std::string> names_;
    InnerNodes inner_;
    int depth_ = 1;
};

/// The sum of the probabilities of a node's leaves.
/// probabilities: of all leaves
float node_probability(std::span<const float> probabilities, std::span<const std::int32_t> leaves);

/// For messages: "'a', 'b' and 12 more", ten names at most.
std::string list_names(std::span<const std::string> names);

/// The names that no other one lies below, each once, in their order.
std::vector<std::string> leaf_names(std::span<const std::string> names);

}  // namespace nanoatlas::nn
