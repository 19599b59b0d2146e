// Clusters and predictions against the labels.
#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <nlohmann/json.hpp>

#include "atlas/charts.hpp"
#include "atlas/page_parts.hpp"
#include "atlas/pictures.hpp"
#include "atlas/text.hpp"

namespace nanoatlas::atlas {
namespace {

using Json = nlohmann::ordered_json;

/// The plain figures of an object, in its order, as cards.
std::string figure_cards(const Json& object) {
    std::string cards;
    for (const auto& [name, value] : object.items()) {
        if (!value.is_number()) continue;
        std::string title = name;
        std::replace(title.begin(), title.end(), '_', ' ');
        if (title.size() <= 3)  // nmi, ari, ami
            std::transform(title.begin(), title.end(), title.begin(),
                           [](unsigned char c) { return std::toupper(c); });
        cards += figure_card(value.is_number_integer() ? count_text(value.get<std::int64_t>())
                                                       : number_text(value.get<double>()),
                             escape_html(title));
    }
    return R"(<div class="figures">)" + cards + "</div>";
}

/// A table of counts, shaded by their share of the row; the diagonal marked on request.
struct CountTable {
    std::string corner;
    std::vector<std::string> row_heads, column_heads;  ///< HTML
    std::vector<std::int64_t> counts;                  ///< [rows, columns]
    bool marks_diagonal = false;

    std::string html() const {
        std::string text =
            R"(<div class="scroll"><table class="heat"><thead><tr><th>)" + corner + "</th>";
        for (const auto& head : column_heads)
            text += R"(<th scope="col"><span>)" + head + "</span></th>";
        text += "</tr></thead><tbody>";
        for (std::size_t r = 0; r < row_heads.size(); ++r) text += row(r);
        return text + "</tbody></table></div>";
    }

  private:
    std::string row(std::size_t r) const {
        const std::size_t width = column_heads.size();
        std::int64_t sum = 0;
        for (std::size_t c = 0; c < width; ++c) sum += counts[r * width + c];
        std::string text = R"(<tr><th scope="row">)" + row_heads[r] + "</th>";
        for (std::size_t c = 0; c < width; ++c) {
            const auto count = counts[r * width + c];
            const double share =
                sum > 0 ? static_cast<double>(count) / static_cast<double>(sum) : 0;
            text += fmt::format(R"(<td{} style="--share:{:.3f}" title="{}">{}</td>)",
                                marks_diagonal && r == c ? R"( class="diagonal")" : "", share,
                                percent_text(count, sum), count > 0 ? count_text(count) : "");
        }
        return text + "</tr>";
    }
};

std::string clusters_by_label(const Atlas& atlas) {
    const auto& data = atlas.inputs;
    CountTable table{.corner = "cluster", .row_heads = {}, .column_heads = {}, .counts = {}};
    for (const auto& name : data.classes) table.column_heads.push_back(escape_html(name));
    const bool all_labelled = std::none_of(data.label.begin(), data.label.end(),
                                           [](std::int32_t label) { return label < 0; });
    if (!all_labelled) table.column_heads.emplace_back("none");
    for (const int cluster : atlas.by_size()) {
        table.row_heads.push_back(cluster_link(atlas, cluster, ""));
        std::vector<std::int64_t> row(table.column_heads.size());
        const auto& members = atlas.members[static_cast<std::size_t>(cluster)];
        for (const auto& [category, count] : category_counts(values_of(members.rows, data.label)))
            (category < 0 ? row.back() : row[static_cast<std::size_t>(category)]) = count;
        table.counts.insert(table.counts.end(), row.begin(), row.end());
    }
    return R"(<section><h2>Labels in each cluster</h2><p class="about">Counts, shaded by their share of )"
           "the cluster.</p>" +
           table.html() + picture_link("confusion", "") + "</section>";
}

std::string per_class_table(const Json& metrics) {
    const auto found = metrics.find("per_class");
    if (found == metrics.end() || !found->is_object()) return "";
    std::string rows;
    for (const auto& [name, scores] : found->items()) {
        if (!scores.is_object()) continue;
        rows += R"(<tr><th scope="row">)" + escape_html(name) + "</th>";
        for (const char* score : {"precision", "recall", "f1"}) {
            const double value = scores.value(score, 0.0);
            rows += fmt::format(
                R"(<td class="meter"><i style="width:{:.1f}%"></i><span>{:.3f}</span></td>)",
                100 * std::clamp(value, 0.0, 1.0), value);
        }
        rows += fmt::format(R"(<td class="number">{}</td></tr>)",
                            count_text(scores.value("support", std::int64_t{0})));
    }
    return R"(<section><h2>By class</h2><div class="scroll"><table class="list meters"><thead><tr><th></th>)"
           R"(<th scope="col">precision</th><th scope="col">recall</th><th scope="col">F1</th>)"
           R"(<th scope="col">images</th></tr></thead><tbody>)" +
           rows + "</tbody></table></div></section>";
}

/// A number of an object, or what stands for it where it is missing or null.
double number_in(const Json& object, const char* name, double otherwise) {
    const auto found = object.find(name);
    return found != object.end() && found->is_number() ? found->get<double>() : otherwise;
}

/// The table alone; empty if there is none.
std::string confusion_of(const Json& metrics) {
    const auto classes = metrics.find("classes"), matrix = metrics.find("confusion");
    if (classes == metrics.end() || matrix == metrics.end() || !classes->is_array() ||
        !matrix->is_array() || matrix->size() != classes->size())
        return "";
    CountTable table{.corner = "true \\ predicted",
                     .row_heads = {},
                     .column_heads = {},
                     .counts = {},
                     .marks_diagonal = true};
    for (const auto& name : *classes) {
        if (!name.is_string()) return "";
        table.row_heads.push_back(escape_html(name.get<std::string>()));
    }
    table.column_heads = table.row_heads;
    for (const auto& row : *matrix) {
        if (!row.is_array() || row.size() != classes->size()) return "";
        for (const auto& count : row)
            table.counts.push_back(count.is_number() ? count.get<std::int64_t>() : 0);
    }
    return table.html();
}

std::string confusion_table(const Json& metrics) {
    const auto table = confusion_of(metrics);
    if (table.empty()) return "";
    return R"(<section><h2>Confusion</h2><p class="about">Rows: the label; columns: what was predicted. )"
           "Shaded by the share of the row.</p>" +
           table + "</section>";
}

/// What a threshold on the confidence buys and costs.
std::string coverage_section(const Json& metrics) {
    const auto points = metrics.find("coverage");
    if (points == metrics.end() || !points->is_array() || points->size() < 2) return "";
    std::vector<CoveragePoint> curve;
    for (const auto& point : *points) {
        if (!point.is_object()) return "";
        curve.push_back({.threshold = number_in(point, "threshold", 0),
                         .coverage = number_in(point, "coverage", 0),
                         .precision = number_in(point, "precision", 0)});
    }
    const auto rejection = metrics.value("none_of_these", Json::object());
    const double threshold = number_in(rejection, "threshold", -1);
    std::string about =
        "Answers are given where the probability of the most probable class reaches a threshold; "
        "the others are none of these. The line: how many images get an answer, and how many of "
        "these answers are right, for every threshold.";
    if (threshold >= 0)
        about += fmt::format(" The dot: the model's threshold {:.4f}, chosen for precision {}.",
                             threshold, number_text(number_in(rejection, "target_precision", 0)));
    return R"(<section><h2>None of these</h2><p class="about">)" + about + "</p>" +
           coverage_chart(curve, threshold) + "</section>";
}

/// Scores and confusion at the levels above the classes.
std::string level_sections(const Json& metrics) {
    const auto levels = metrics.find("levels");
    if (levels == metrics.end() || !levels->is_array()) return "";
    std::string sections;
    for (std::size_t i = 0; i + 1 < levels->size(); ++i) {
        const auto& level = (*levels)[i];
        if (!level.is_object()) return "";
        sections += fmt::format(
            R"(<section><h2>Level {}</h2><p class="about">Classes by the first {} of their names: )"
            "{} images, accuracy {:.4f}, macro-F1 {:.4f}.</p>{}</section>",
            i + 1, i == 0 ? "part" : fmt::format("{} parts", i + 1),
            count_text(level.value("rows", std::int64_t{0})), number_in(level, "accuracy", 0),
            number_in(level, "macro_f1", 0), confusion_of(level));
    }
    return sections;
}

/// Predictions of images outside the training part whose label is a class that the network knows.
std::string calibration(const Atlas& atlas) {
    const auto& data = atlas.inputs;
    if (!data.predictions) return "";
    std::vector<float> confidence;
    std::vector<char> right;
    for (std::size_t i = 0; i < data.label.size(); ++i) {
        const auto predicted = data.predictions->most_probable[i];
        if (data.label[i] < 0 || predicted < 0 || data.part[i] == 0) continue;
        confidence.push_back(data.predictions->confidence[i]);
        right.push_back(data.is_right(i, predicted));
    }
    if (confidence.empty()) return "";
    return fmt::format(
        R"(<section><h2>Calibration</h2><p class="about">How often predictions of a given confidence are )"
        "right, over the {} labelled images of the validation and test parts. On the line, "
        "confidence can be taken at its word.</p>{}</section>",
        count_text(static_cast<std::int64_t>(confidence.size())),
        reliability_chart(reliability(confidence, right, 10)));
}

}  // namespace

PageFile evaluation_page(const Atlas& atlas) {
    const auto& data = atlas.inputs;
    std::string content = "<h1>Evaluation</h1>";
    if (!data.scores.empty())
        content += "<section><h2>Clusters against labels</h2>" +
                   figure_cards(Json::parse(data.scores)) + "</section>";
    if (data.has_labels()) content += clusters_by_label(atlas);
    if (!data.metrics.empty()) {
        const auto metrics = Json::parse(data.metrics);
        content += "<section><h2>Predictions</h2>" + figure_cards(metrics) + "</section>";
        content += confusion_table(metrics) + per_class_table(metrics) + level_sections(metrics) +
                   coverage_section(metrics);
    }
    content += calibration(atlas);
    return frame_page(atlas, "evaluation.html", "Evaluation", content, {"names.js"});
}

}  // namespace nanoatlas::atlas
