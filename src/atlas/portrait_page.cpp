#include "atlas/portrait_page.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "atlas/text.hpp"

namespace nanoatlas::atlas {
namespace {

constexpr std::size_t most_rows = 16;

/// A path below the folder that all paths share; other values as they are.
std::string shown_value(const Atlas& atlas, const std::string& field, const std::string& value) {
    const bool is_path = field == atlas.inputs.facts.session.name;
    return escape_html(is_path ? value.substr(atlas.path_root.size()) : value);
}

std::string warnings(const Atlas& atlas, const Portrait& portrait) {
    std::string text;
    if (!portrait.only_session.empty())
        text +=
            R"(<p class="warning"><b>One session.</b> All its images were taken in one session, )"
            "that of " +
            shown_value(atlas, atlas.inputs.facts.session.name, portrait.only_session) +
            ": it may be about that session and not about what is seen.</p>";
    if (!portrait.only_date.empty())
        text += R"(<p class="warning"><b>One day.</b> All its images were taken on )" +
                escape_html(portrait.only_date) +
                ", others in the corpus were not: it may be about that day and not about what is "
                "seen.</p>";
    if (!portrait.only_info_bar.empty())
        text += R"(<p class="warning"><b>One info bar.</b> All its images had an info bar of one )"
                "height (" +
                escape_html(portrait.only_info_bar) +
                "), others in the corpus had another: it may be about the instrument and not "
                "about what is seen.</p>";
    return text;
}

std::string value_row(const Atlas& atlas, const TellingValue& value) {
    return fmt::format(
        R"(<tr><td>{}</td><th scope="row">{}</th><td class="number">{} ({} of {})</td>)"
        R"(<td class="number">{}</td><td class="number">{}</td><td class="number">{}</td></tr>)",
        value.field, shown_value(atlas, value.field, value.value),
        percent_text(value.count, value.known), count_text(value.count), count_text(value.known),
        percent_text(value.corpus_count, value.corpus_known), number_text(value.lift()),
        chance_text(value.log_rate));
}

std::string quantity_row(const TellingQuantity& quantity) {
    return fmt::format(
        R"(<tr><td>{}</td><th scope="row">median {}</th><td class="number">{} in {:.0f} %</td>)"
        R"(<td class="number">median {}</td><td class="number"></td><td class="number">{}</td></tr>)",
        quantity.field, si_text(quantity.median, quantity.unit),
        quantity.above > 0.5 ? "above others" : "below others",
        100 * std::max(quantity.above, 1 - quantity.above),
        si_text(quantity.median_corpus, quantity.unit), chance_text(quantity.log_rate));
}

/// Telling labels, other values and quantities, the least likely by chance first.
std::vector<std::string> all_rows(const Atlas& atlas, const Portrait& portrait) {
    std::vector<std::pair<double, std::string>> rows;
    for (const auto& label : portrait.labels)
        if (label.log_rate < std::log(telling_rate))
            rows.emplace_back(label.log_chance, value_row(atlas, label));
    for (const auto& value : portrait.values)
        rows.emplace_back(value.log_chance, value_row(atlas, value));
    for (const auto& quantity : portrait.quantities)
        rows.emplace_back(quantity.log_chance, quantity_row(quantity));
    std::stable_sort(rows.begin(), rows.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<std::string> texts;
    texts.reserve(rows.size());
    for (auto& [chance, text] : rows) texts.push_back(std::move(text));
    return texts;
}

}  // namespace

std::string chance_text(double log_chance) {
    const double digits = log_chance / std::numbers::ln10;
    if (digits > -3) return fmt::format("{:.2g}", std::exp(log_chance));
    if (!std::isfinite(digits)) return "0";
    auto exponent = static_cast<int>(std::floor(digits));
    auto mantissa = static_cast<int>(std::round(std::pow(10.0, digits - exponent)));
    if (mantissa == 10) {
        mantissa = 1;
        ++exponent;
    }
    return fmt::format("{} × 10<sup>−{}</sup>", mantissa, -exponent);
}

std::string warning_of(const Portrait& portrait) {
    std::string text;
    for (const auto& [value, warning] : {std::pair(&portrait.only_session, "one session"),
                                         {&portrait.only_date, "one day"},
                                         {&portrait.only_info_bar, "one info bar"}})
        if (!value->empty()) text += (text.empty() ? "" : ", ") + std::string(warning);
    return text;
}

std::string portrait_section(const Atlas& atlas, int cluster) {
    const auto& portrait = atlas.portraits[static_cast<std::size_t>(cluster)];
    const auto rows = all_rows(atlas, portrait);
    std::string text = "<section><h2>What it is about</h2>" + warnings(atlas, portrait);
    if (rows.empty())
        return text +
               R"(<p class="about">Nothing that the corpus knows of its images is commoner here )"
               "than chance allows.</p></section>";
    text += fmt::format(
        R"(<p class="about">What is commoner here than chance allows: {} of {} findings, the least )"
        "likely first. Lift: the share here over the share in the corpus. Chance: the share of "
        "such findings that would be false (Fisher's exact test, for quantities Mann and "
        "Whitney's, adjusted for all tests after Benjamini and Hochberg).</p>",
        std::min(rows.size(), most_rows), rows.size());
    text +=
        R"(<div class="scroll"><table class="list about-table"><thead><tr><th scope="col">what</th>)"
        R"(<th scope="col">value</th><th scope="col">here</th><th scope="col">in the corpus</th>)"
        R"(<th scope="col">lift</th><th scope="col">chance</th></tr></thead><tbody>)";
    for (std::size_t i = 0; i < std::min(rows.size(), most_rows); ++i) text += rows[i];
    return text + "</tbody></table></div></section>";
}

}  // namespace nanoatlas::atlas
