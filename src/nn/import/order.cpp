#include <algorithm>
#include <array>
#include <optional>

#include "nn/import/names.hpp"
#include "nn/zoo/zoo.hpp"

namespace nanoatlas::nn {

namespace {

/// A foreign name cut into what sorts it and what the tensor is.
struct ForeignName {
    std::string whole, layer, role;  ///< "squeezenet0_conv12", "weight"
};

std::optional<ForeignName> parse_foreign(const std::string& name) {
    static const std::array<std::pair<std::string_view, std::string_view>, 6> endings = {{
        {"running_mean", "running_mean"},
        {"running_var", "running_var"},
        {"gamma", "weight"},
        {"beta", "bias"},
        {"weight", "weight"},
        {"bias", "bias"},
    }};
    for (const auto& [ending, role] : endings)
        if (name.size() > ending.size() && name.ends_with(ending)) {
            const auto layer = name.substr(0, name.size() - ending.size() - 1);
            const bool is_norm = ending != "weight" && ending != "bias";
            return ForeignName{name, layer, (is_norm ? "norm " : "") + std::string(role)};
        }
    return std::nullopt;
}

/// "conv9" before "conv10".
bool natural_less(const std::string& a, const std::string& b) {
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    std::size_t i = 0, j = 0;
    while (i < a.size() && j < b.size()) {
        if (!is_digit(a[i]) || !is_digit(b[j])) {
            if (a[i] != b[j]) return a[i] < b[j];
            ++i, ++j;
            continue;
        }
        const auto end_a =
            std::ranges::find_if_not(a.begin() + static_cast<std::ptrdiff_t>(i), a.end(), is_digit);
        const auto end_b =
            std::ranges::find_if_not(b.begin() + static_cast<std::ptrdiff_t>(j), b.end(), is_digit);
        const std::string number_a(a.begin() + static_cast<std::ptrdiff_t>(i), end_a);
        const std::string number_b(b.begin() + static_cast<std::ptrdiff_t>(j), end_b);
        if (number_a.size() != number_b.size()) return number_a.size() < number_b.size();
        if (number_a != number_b) return number_a < number_b;
        i += number_a.size(), j += number_b.size();
    }
    return a.size() - i < b.size() - j;
}

std::string role_of(const TensorSpec& spec) {
    const auto role = spec.name.substr(spec.name.rfind('.') + 1);
    return (spec.kind == ParameterKind::norm ? "norm " : "") + role;
}

/// Equal, but for the channels that the first layer reads and the classes of the last.
class ShapeComparison {
  public:
    explicit ShapeComparison(const std::string& arch) : ends_(zoo::ends(arch)) {}

    bool agrees(const std::vector<std::int64_t>& shape, const TensorSpec& spec) const {
        auto expected = spec.shape;
        const auto adopt = [&](std::size_t dimension) {
            if (dimension < shape.size() && dimension < expected.size())
                expected[dimension] = shape[dimension];
        };
        if (spec.name == ends_.stem + ".weight") adopt(1);
        if (spec.name.starts_with(ends_.classifier + ".")) adopt(0);
        return shape == expected;
    }

  private:
    zoo::Ends ends_;
};

}  // namespace

Translation translate_by_order(const TensorMap& weights, const std::string& arch,
                               const std::vector<TensorSpec>& specs) {
    std::map<std::string, std::vector<ForeignName>> foreign;
    for (const auto& [name, tensor] : weights) {
        const auto parsed = parse_foreign(name);
        if (!parsed) return {};
        foreign[parsed->role].push_back(*parsed);
    }
    for (auto& [role, names] : foreign) std::ranges::sort(names, natural_less, &ForeignName::layer);
    const ShapeComparison shapes(arch);
    std::map<std::string, std::size_t> used;
    Translation translation;
    for (const auto& spec : specs) {
        const auto role = role_of(spec);
        const auto place = used[role]++;
        if (place >= foreign[role].size()) return {};
        const auto& name = foreign[role][place].whole;
        if (!shapes.agrees(weights.at(name).shape, spec)) return {};
        translation.theirs.emplace(spec.name, name);
    }
    return translation.theirs.size() == weights.size() ? translation : Translation{};
}

}  // namespace nanoatlas::nn
