#include "ingest/parts.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "base/check.hpp"
#include "base/random.hpp"

namespace nanoatlas::ingest {
namespace {

using store::Part;
using PerPart = std::array<double, 3>;

constexpr PerPart shares = {0.70, 0.15, 0.15};
constexpr PerPart shares_beside_a_test_set = {0.85, 0.15, 0};
/// Where two parts lack the same: the test set matters more than validation in a tiny class.
constexpr std::array by_importance = {Part::train, Part::test, Part::validation};

struct Group {
    std::int64_t first = 0, size = 0;
    std::uint64_t order = 0;
    std::optional<Part> fixed;
};

/// The parts of one class, being filled.
class ClassParts {
  public:
    ClassParts(std::int64_t images, bool has_test_set) {
        const auto& share = has_test_set ? shares_beside_a_test_set : shares;
        for (std::size_t p = 0; p < share.size(); ++p)
            missing_[p] = share[p] * static_cast<double>(images);
    }
    Part place(std::int64_t size) {
        auto best = by_importance[0];
        for (const auto part : by_importance)
            if (missing(part) > missing(best) + 1e-9) best = part;
        missing(best) -= static_cast<double>(size);
        return best;
    }

  private:
    double& missing(Part part) { return missing_[static_cast<std::size_t>(part)]; }
    PerPart missing_{};
};

/// Groups by the class of their first member.
std::map<std::int32_t, std::vector<Group>> groups_by_class(
    std::span<const std::int32_t> label, std::span<const std::int64_t> group,
    std::span<const std::uint64_t> checksum, std::span<const std::optional<Part>> fixed) {
    std::map<std::int64_t, Group> groups;
    for (std::size_t i = 0; i < group.size(); ++i) {
        auto& entry = groups[group[i]];
        entry.first = group[i];
        entry.order = base::mix(checksum[static_cast<std::size_t>(group[i])]);
        ++entry.size;
        // Of several given parts the later counts: test before validation before train.
        if (fixed[i] && (!entry.fixed || *fixed[i] > *entry.fixed)) entry.fixed = fixed[i];
    }
    std::map<std::int32_t, std::vector<Group>> classes;
    for (const auto& [first, entry] : groups)
        classes[label[static_cast<std::size_t>(first)]].push_back(entry);
    return classes;
}

void place_class(std::vector<Group>& groups, std::map<std::int64_t, Part>& part_of_group) {
    std::sort(groups.begin(), groups.end(), [](const Group& a, const Group& b) {
        return std::tuple(-a.size, a.order, a.first) < std::tuple(-b.size, b.order, b.first);
    });
    std::int64_t free = 0;
    bool has_test_set = false;
    for (const auto& group : groups) {
        if (group.fixed)
            has_test_set |= *group.fixed == Part::test;
        else
            free += group.size;
    }
    ClassParts parts(free, has_test_set);
    for (const auto& group : groups)
        part_of_group[group.first] = group.fixed ? *group.fixed : parts.place(group.size);
}

}  // namespace

std::vector<Part> choose_parts(std::span<const std::int32_t> label,
                               std::span<const std::int64_t> group,
                               std::span<const std::uint64_t> checksum,
                               std::span<const std::optional<Part>> fixed) {
    std::map<std::int64_t, Part> part_of_group;
    for (auto& [unused, groups] : groups_by_class(label, group, checksum, fixed))
        place_class(groups, part_of_group);
    std::vector<Part> parts;
    for (const auto first : group) parts.push_back(part_of_group.at(first));
    return parts;
}

Part parse_part(const std::string& text) {
    if (text == "train" || text == "0") return Part::train;
    if (text == "validation" || text == "val" || text == "1") return Part::validation;
    VALIDATE(
        text == "test" || text == "2",
        "cannot use the part '{}' (there is none of that name); give train, validation or test",
        text);
    return Part::test;
}

}  // namespace nanoatlas::ingest
