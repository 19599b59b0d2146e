#include "atlas/dimension_chart.hpp"

#include <limits>
#include <nlohmann/json.hpp>

#include "atlas/line_chart.hpp"
#include "base/check.hpp"

namespace nanoatlas::atlas {
namespace {

LineSeries curve(const std::string& name, const std::vector<cluster::DimensionEstimate>& all) {
    LineSeries line{.name = name, .points = {}};
    for (const auto& at : all) {
        line.points.emplace_back(at.scale, at.dimension);
        line.spread.push_back(2 * at.error);
    }
    return line;
}

/// What is not finite stands as null.
double number_of(const nlohmann::json& json, const char* name) {
    const auto& value = json.at(name);
    return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
}

cluster::DimensionEstimate estimate_of(const nlohmann::json& json) {
    return {.dimension = number_of(json, "dimension"),
            .error = number_of(json, "error"),
            .scale = number_of(json, "scale"),
            .rows = json.at("rows").get<std::int64_t>(),
            .rank = json.at("rank").get<int>()};
}

}  // namespace

std::string dimension_chart(const cluster::DimensionScales& found) {
    // A short axis reads better in even steps.
    const bool is_wide = found.gride.back().scale > 20 * found.gride.front().scale;
    auto decimation = found.decimation;
    decimation.insert(decimation.begin(), found.fit);
    return line_chart({.title = "Intrinsic dimension against scale",
                       .x_name = "mean distance of the neighbours",
                       .y_name = "intrinsic dimension",
                       .is_log_x = is_wide,
                       .series = {curve("Gride", found.gride),
                                  curve("TWO-NN of fewer and fewer rows", decimation)}});
}

cluster::DimensionScales read_dimension(const std::string& json, const std::string& path) {
    cluster::DimensionScales found;
    try {
        const auto document = nlohmann::json::parse(json);
        found.fit = estimate_of(document.at("two_nn").at("fit"));
        found.likelihood = estimate_of(document.at("two_nn").at("likelihood"));
        for (const auto& at : document.at("gride")) found.gride.push_back(estimate_of(at));
        for (const auto& at : document.at("decimation"))
            found.decimation.push_back(estimate_of(at));
    } catch (const nlohmann::json::exception& error) {
        throw InputError(
            fmt::format("cannot use dimension '{}': it lacks what the job dimension writes ({}); "
                        "run that again",
                        path, error.what()));
    }
    VALIDATE(!found.gride.empty(),
             "cannot use dimension '{}': it holds no scales; run dimension again", path);
    return found;
}

}  // namespace nanoatlas::atlas
