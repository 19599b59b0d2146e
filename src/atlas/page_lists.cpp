// Pages that list: duplicates, rejects, clusters to be named, and where everything came from.
#include <fmt/core.h>

#include <map>
#include <nlohmann/json.hpp>

#include "atlas/page_parts.hpp"
#include "atlas/text.hpp"
#include "base/version.hpp"

namespace nanoatlas::atlas {
namespace {

using Json = nlohmann::ordered_json;

/// Nested tables of names and values; long parts fold away.
std::string json_html(const Json& value, int depth = 0) {
    if (!value.is_structured())
        return "<code>" + escape_html(value.is_string() ? value.get<std::string>() : value.dump()) +
               "</code>";
    if (value.empty()) return R"(<span class="quiet">none</span>)";
    std::string rows;
    for (const auto& [name, item] : value.items())
        rows += R"(<tr><th scope="row">)" + escape_html(value.is_object() ? name : "") +
                "</th><td>" + json_html(item, depth + 1) + "</td></tr>";
    std::string table = R"(<table class="record">)" + rows + "</table>";
    if (depth < 1 || value.size() < 8) return table;
    return fmt::format("<details><summary>{} entries</summary>{}</details>", value.size(), table);
}

/// "ingest · commit abc1234 · 2 ranks · 12.5 s", as far as it is known.
std::string source_note(const Json& json) {
    std::string note;
    const auto add = [&](const std::string& text) { note += (note.empty() ? "" : " · ") + text; };
    if (!json.is_object()) return note;
    if (const auto job = json.find("job"); job != json.end() && job->is_string())
        add(job->get<std::string>());
    if (const auto commit = json.find("commit"); commit != json.end() && commit->is_string())
        add("commit " + commit->get<std::string>());
    if (const auto ranks = json.find("ranks"); ranks != json.end() && ranks->is_number())
        add(ranks->dump() + (ranks->dump() == "1" ? " rank" : " ranks"));
    double total = 0;
    if (const auto seconds = json.find("seconds"); seconds != json.end() && seconds->is_object())
        for (const auto& phase : *seconds)
            if (phase.is_number()) total += phase.get<double>();
    if (total > 0) add(fmt::format("{:.1f} s", total));
    return note;
}

std::string source_html(const Source& source) {
    const auto json = Json::parse(source.provenance, nullptr, false);
    const std::string record =
        json.is_structured() ? json_html(json)
                             : R"(<p class="quiet">This file says nothing about its origin.</p>)";
    return fmt::format(R"(<details class="source"><summary><b>{}</b> <code>{}</code> )"
                       R"(<span class="quiet">{}</span></summary>{}</details>)",
                       source.what, escape_html(source.path), escape_html(source_note(json)),
                       record);
}

}  // namespace

PageFile duplicates_page(const Atlas& atlas) {
    std::map<std::int64_t, std::vector<std::int64_t>> copies_of;
    for (std::size_t i = 0; i < atlas.inputs.duplicate_of.size(); ++i)
        if (atlas.inputs.duplicate_of[i] >= 0)
            copies_of[atlas.inputs.duplicate_of[i]].push_back(static_cast<std::int64_t>(i));
    std::string content = "<h1>Duplicates</h1>";
    if (copies_of.empty())
        content += "<p>No image repeats another one.</p>";
    else
        content += fmt::format(
            R"(<p class="about">{} images are repeated, exactly or nearly, by others. Each group stays )"
            "in one part (training, validation or test).</p>",
            count_text(std::ssize(copies_of)));
    for (const auto& [original, copies] : copies_of) {
        content +=
            R"(<div class="pictures group">)" + picture(atlas, atlas.copies, original, "", "first");
        for (const auto copy : copies) content += picture(atlas, atlas.copies, copy, "", "copy");
        content += "</div>";
    }
    return frame_page(atlas, "duplicates.html", "Duplicates", content + "</div>");
}

PageFile rejects_page(const Atlas& atlas) {
    std::string content = "<h1>Rejects</h1>";
    if (atlas.inputs.rejects.empty())
        return frame_page(atlas, "rejects.html", "Rejects",
                          content + "<p>Every file that was found could be read.</p>");
    std::string rows;
    for (const auto& [path, cause] : atlas.inputs.rejects)
        rows += "<tr><td><code>" + escape_html(path) + "</code></td><td>" + escape_html(cause) +
                "</td></tr>";
    content += fmt::format(R"(<p class="about">{} files could not be taken into the corpus.</p>)",
                           count_text(std::ssize(atlas.inputs.rejects)));
    content += R"(<div class="scroll"><table class="list"><thead><tr><th scope="col">file</th>)"
               R"(<th scope="col">cause</th></tr></thead><tbody>)" +
               rows + "</tbody></table></div>";
    return frame_page(atlas, "rejects.html", "Rejects", content);
}

PageFile names_page(const Atlas& atlas) {
    std::string rows;
    for (const int cluster : atlas.by_size()) {
        const auto& members = atlas.members[static_cast<std::size_t>(cluster)];
        std::string pictures;
        for (const auto row : atlas.cover(cluster))
            pictures += bare_picture(atlas.covers, row, "",
                                     atlas.inputs.path[static_cast<std::size_t>(row)]);
        rows += fmt::format(
            R"(<tr id="cluster-{}"><td><span class="small">{}</span></td><th scope="row">{}</th>)"
            R"(<td class="number">{}</td><td><input type="text" list="class-names" data-name-of="{}" )"
            R"(aria-label="name of {}" placeholder="no name" autocomplete="off" maxlength="200"></td></tr>)",
            cluster, pictures, cluster_link(atlas, cluster, ""),
            count_text(static_cast<std::int64_t>(members.rows.size())), cluster,
            cluster_name(cluster));
    }
    std::string known;
    for (const auto& name : atlas.inputs.classes)
        known += "<option value=\"" + escape_html(name) + "\"></option>";
    return frame_page(
        atlas, "names.html", "Names",
        "<h1>Name the clusters</h1>"
        R"(<p class="about">Names stay in this browser and show on all pages. Clusters of )"
        "one name become one class. The file holds a line for each image of a named "
        "cluster; give it to the next run as <code>ingest --labels csv:labels.csv</code> "
        "and train on it.</p>"
        R"(<p><button id="download" class="button" type="button">Download labels.csv</button> )"
        R"(<button id="forget" class="button plain" type="button">Forget all names</button> )"
        R"(<span id="named" class="quiet" aria-live="polite"></span></p>)"
        R"(<datalist id="class-names">)" +
            known +
            "</datalist>"
            R"(<div class="scroll"><table class="list names"><tbody>)" +
            rows + "</tbody></table></div>",
        {"names.js", "decode.js", "data/map.js", "data/paths.js", "labelling.js"});
}

PageFile provenance_page(const Atlas& atlas) {
    std::string content =
        "<h1>Provenance</h1><p class=\"about\">What each file behind this atlas says "
        "of its own origin. Drawn by " +
        escape_html(base::version_text()) + ".</p>";
    for (const auto& source : atlas.inputs.sources) content += source_html(source);
    return frame_page(atlas, "provenance.html", "Provenance", content);
}

}  // namespace nanoatlas::atlas
