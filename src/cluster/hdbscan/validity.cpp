#include "cluster/hdbscan/validity.hpp"

#include <algorithm>
#include <limits>
#include <vector>

namespace nanoatlas::cluster {

double relative_validity(const SpanningTree& tree, std::span<const std::int32_t> label) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    const auto label_of = [&](std::int64_t row) { return label[static_cast<std::size_t>(row)]; };
    const auto clusters =
        label.empty() ? 0 : static_cast<std::size_t>(*std::ranges::max_element(label) + 1);
    std::vector<double> size(clusters, 0), sparseness(clusters, 0), separation(clusters, infinity);
    for (const auto of_row : label)
        if (of_row >= 0) ++size[static_cast<std::size_t>(of_row)];
    double longest = 0, to_noise = infinity;
    for (const auto& edge : tree) {
        const auto a = label_of(edge.low), b = label_of(edge.high);
        longest = std::max(longest, edge.weight);
        if (a < 0 && b < 0) continue;
        if (a < 0 || b < 0) {
            to_noise = std::min(to_noise, edge.weight);
        } else if (a == b) {
            auto& within = sparseness[static_cast<std::size_t>(a)];
            within = std::max(within, edge.weight);
        } else {
            for (const auto cluster : {a, b}) {
                auto& between = separation[static_cast<std::size_t>(cluster)];
                between = std::min(between, edge.weight);
            }
        }
    }
    const double alone = 2 * (clusters > 1 || to_noise == infinity ? longest : to_noise);
    double sum = 0;
    for (std::size_t c = 0; c < clusters; ++c) {
        const double apart = separation[c] < infinity ? separation[c] : alone;
        const double larger = std::max(apart, sparseness[c]);
        if (larger > 0) sum += size[c] * (apart - sparseness[c]) / larger;
    }
    return label.empty() ? 0 : sum / static_cast<double>(label.size());
}

}  // namespace nanoatlas::cluster
