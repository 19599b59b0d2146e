#include "jobs/scan_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <sstream>

#include "base/check.hpp"

namespace nanoatlas::jobs {

std::vector<double> parse_ascending(const std::string& list, const char* option, const char* rule,
                                    const std::function<bool(double)>& is_fine) {
    std::vector<double> values;
    std::istringstream text(list);
    for (std::string word; std::getline(text, word, ',');) {
        std::size_t used = 0;
        double value = 0;
        try {
            value = std::stod(word, &used);
        } catch (const std::logic_error&) {
            used = std::string::npos;
        }
        VALIDATE(used == word.size() && std::isfinite(value) && is_fine(value),
                 "--{} has '{}' in '{}' (it can't be used); give {} with commas between them",
                 option, word, list, rule);
        values.push_back(value);
    }
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    return values;
}

void validate_subsamples(int subsamples) {
    VALIDATE(subsamples >= 0 && subsamples <= 1000,
             "--stability is {} (it counts random parts of the rows); give 0 to 1000", subsamples);
}

void write_stability(const cluster::Stability& stability, std::int64_t settings,
                     store::ArtefactWriter& writer) {
    const std::int64_t trials = stability.subsamples;
    if (trials == 0) return;
    writer.write_whole<double>("scan/ari", stability.ari, {settings, trials});
    writer.write_whole<double>("scan/ami", stability.ami, {settings, trials});
    writer.write_whole<std::int64_t>("scan/subsample_clusters", stability.clusters,
                                     {settings, trials});
}

std::string stability_words(const cluster::Stability& stability, std::size_t setting) {
    const auto trials = static_cast<std::size_t>(stability.subsamples);
    if (trials == 0) return "";
    const auto mean = [&](const std::vector<double>& values) {
        const auto own = std::span(values).subspan(setting * trials, trials);
        return std::accumulate(own.begin(), own.end(), 0.0) / static_cast<double>(trials);
    };
    return fmt::format("; of {} subsamples: ARI {:.3f}, AMI {:.3f} on average", trials,
                       mean(stability.ari), mean(stability.ami));
}

}  // namespace nanoatlas::jobs
