// clusters.json: what each cluster is about, for programs.
#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>

#include "atlas/pages.hpp"

namespace nanoatlas::atlas {
namespace {

using Json = nlohmann::ordered_json;

/// JSON knows no infinity: a chance of 0 is left out as null.
Json log10_of(double natural) {
    return std::isfinite(natural) ? Json(natural / std::numbers::ln10) : Json(nullptr);
}

Json json_of(const TellingValue& value) {
    return {{"field", value.field},
            {"value", value.value},
            {"count", value.count},
            {"known", value.known},
            {"share", value.share()},
            {"corpus_count", value.corpus_count},
            {"corpus_share", value.corpus_share()},
            {"lift", value.lift()},
            {"log10_p", log10_of(value.log_chance)},
            {"log10_q", log10_of(value.log_rate)}};
}

Json json_of(const TellingQuantity& quantity) {
    return {{"field", quantity.field},
            {"unit", quantity.unit},
            {"median", quantity.median},
            {"corpus_median", quantity.median_corpus},
            {"above", quantity.above},
            {"log10_p", log10_of(quantity.log_chance)},
            {"log10_q", log10_of(quantity.log_rate)}};
}

Json json_of(const Exemplar& exemplar) {
    return exemplar.row;
}

template <class T>
Json list_of(const std::vector<T>& all) {
    Json list = Json::array();
    for (const auto& one : all) list.push_back(json_of(one));
    return list;
}

/// The part and what it falls into.
Json json_of(const SplitTree& tree, int number) {
    const auto& part = tree.parts[static_cast<std::size_t>(number)];
    Json json = {{"peak", part.centre}, {"images", part.images}};
    if (part.a >= 0) {
        json["Z"] = part.significance;
        json["parts"] = {json_of(tree, part.a), json_of(tree, part.b)};
    }
    return json;
}

Json parts(const Atlas& atlas, int cluster) {
    if (atlas.splits.empty()) return nullptr;
    const auto& tree = atlas.splits[static_cast<std::size_t>(cluster)];
    return tree.parts.empty() ? Json(nullptr) : json_of(tree, 0);
}

Json image(const Atlas& atlas, std::int64_t row) {
    if (row < 0) return nullptr;
    return {{"row", row}, {"path", atlas.inputs.path[static_cast<std::size_t>(row)]}};
}

Json json_of(const Atlas& atlas, int cluster) {
    const auto& members = atlas.members[static_cast<std::size_t>(cluster)];
    const auto& portrait = atlas.portraits[static_cast<std::size_t>(cluster)];
    const auto given = [](const std::string& text) {
        return text.empty() ? Json(nullptr) : Json(text);
    };
    return {{"cluster", cluster},
            {"images", members.rows.size()},
            {"share",
             static_cast<double>(members.rows.size()) / static_cast<double>(atlas.inputs.rows)},
            {"centre", image(atlas, members.centre)},
            {"medoid", image(atlas, members.medoid)},
            {"exemplars",
             {{"nearest", list_of(members.nearest)},
              {"across", list_of(members.across)},
              {"densest", list_of(members.densest)},
              {"border", list_of(members.border)},
              {"odd", list_of(members.odd)}}},
            {"only_session", given(portrait.only_session)},
            {"only_date", given(portrait.only_date)},
            {"only_info_bar", given(portrait.only_info_bar)},
            {"labels", list_of(portrait.labels)},
            {"values", list_of(portrait.values)},
            {"parts_at_lower_Z", parts(atlas, cluster)},
            {"quantities", list_of(portrait.quantities)}};
}

}  // namespace

PageFile clusters_json(const Atlas& atlas) {
    Json clusters = Json::array();
    for (int k = 0; k < atlas.clusters(); ++k) clusters.push_back(json_of(atlas, k));
    const Json document = {{"format", "clusters"},
                           {"format_version", 1},
                           {"clustering", atlas.clustering},
                           {"images", atlas.inputs.rows},
                           {"clusters", clusters}};
    return {"clusters.json", document.dump(1, ' ', false, Json::error_handler_t::replace) + "\n"};
}

}  // namespace nanoatlas::atlas
