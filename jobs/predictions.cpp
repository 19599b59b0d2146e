#include "jobs/predictions.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "nn/train/rejection.hpp"
#include "store/artefact.hpp"
#include "store/plain_file.hpp"

namespace nanoatlas::jobs {
namespace {

std::string csv_field(const std::string& text) {
    if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
    std::string quoted = "\"";
    for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    return quoted + "\"";
}

std::string as_csv(const Predictions& predictions, std::int64_t top) {
    std::string text = "path";
    const auto columns = std::min<std::int64_t>(top, std::ssize(predictions.classes));
    for (std::int64_t i = 1; i <= columns; ++i) text += fmt::format(",class{0},probability{0}", i);
    text += ",answer\n";
    const nn::Taxonomy taxonomy(predictions.classes);
    const auto answers = predictions.answers();
    for (std::size_t row = 0; row < predictions.paths.size(); ++row) {
        text += csv_field(predictions.paths[row]);
        for (const auto which : predictions.best(row, top))
            text += fmt::format(",{},{:.6f}", csv_field(predictions.classes[which]),
                                predictions.probability(row, which));
        text += "," + csv_field(answer_text(taxonomy, answers[row])) + "\n";
    }
    return text;
}

/// The most probable node of each level, from the top.
nlohmann::ordered_json levels_of(std::span<const float> probabilities,
                                 std::span<const nn::Taxonomy::Level> levels) {
    auto nodes = nlohmann::ordered_json::array();
    for (const auto& level : levels) {
        const auto sums = level.probabilities(probabilities);
        const auto best = std::max_element(sums.begin(), sums.end());
        nodes.push_back({{"class", level.names[static_cast<std::size_t>(best - sums.begin())]},
                         {"probability", *best}});
    }
    return nodes;
}

std::string as_json(const Predictions& predictions, std::int64_t top,
                    const store::Provenance& provenance) {
    auto images = nlohmann::ordered_json::array();
    const nn::Taxonomy taxonomy(predictions.classes);
    const auto answers = predictions.answers();
    std::vector<nn::Taxonomy::Level> levels;
    for (int depth = 1; taxonomy.depth() > 1 && depth <= taxonomy.depth(); ++depth)
        levels.push_back(taxonomy.level(depth));
    for (std::size_t row = 0; row < predictions.paths.size(); ++row) {
        auto classes = nlohmann::ordered_json::array();
        for (const auto which : predictions.best(row, top))
            classes.push_back({{"class", predictions.classes[which]},
                               {"probability", predictions.probability(row, which)}});
        images.push_back({{"path", predictions.paths[row]},
                          {"answer", answer_text(taxonomy, answers[row])},
                          {"top", std::move(classes)}});
        if (!levels.empty())
            images.back()["levels"] = levels_of(predictions.probabilities_of(row), levels);
    }
    auto rejects = nlohmann::ordered_json::array();
    for (std::size_t i = 0; i < predictions.reject_paths.size(); ++i)
        rejects.push_back(
            {{"path", predictions.reject_paths[i]}, {"cause", predictions.reject_causes[i]}});
    return nlohmann::ordered_json{{"images", std::move(images)},
                                  {"threshold", predictions.threshold},
                                  {"rejects", std::move(rejects)},
                                  {"provenance", nlohmann::json::parse(provenance.json())}}
               .dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) +
           "\n";
}

void write_inner_nodes(store::ArtefactWriter& writer, const Predictions& predictions,
                       const nn::Taxonomy& taxonomy) {
    std::vector<float> probabilities;
    for (std::size_t row = 0; row < predictions.paths.size(); ++row)
        for (const auto& leaves : taxonomy.inner())
            probabilities.push_back(
                nn::node_probability(predictions.probabilities_of(row), leaves));
    writer.write_whole<float>("inner_probability", probabilities,
                              {std::ssize(predictions.paths), std::ssize(taxonomy.inner())});
    writer.write_whole_strings(
        "inner_classes",
        std::span(taxonomy.names()).subspan(static_cast<std::size_t>(taxonomy.leaves())));
}

void write_artefact(const std::string& path, const Predictions& predictions,
                    const store::Provenance& provenance, const comm::Communicator& world) {
    const auto rows = static_cast<std::int64_t>(predictions.paths.size());
    const nn::Taxonomy taxonomy(predictions.classes);
    std::vector<std::int32_t> labels;
    std::vector<std::string> answers;
    for (const auto answer : predictions.answers()) {
        labels.push_back(answer < taxonomy.leaves() ? answer : -1);
        answers.push_back(answer_text(taxonomy, answer));
    }
    store::ArtefactWriter writer(path, "predictions", world);
    writer.write_whole<float>("probability", predictions.probabilities,
                              {rows, std::ssize(predictions.classes)});
    writer.write_whole<std::int32_t>("label", labels, {rows});
    writer.write_whole_strings("answer", answers);
    writer.write_whole_strings("path", predictions.paths);
    writer.write_whole_strings("classes", predictions.classes);
    if (taxonomy.depth() > 1) write_inner_nodes(writer, predictions, taxonomy);
    writer.write_whole_strings("rejects/path", predictions.reject_paths);
    writer.write_whole_strings("rejects/cause", predictions.reject_causes);
    writer.attribute("threshold", predictions.threshold);
    writer.publish(provenance);
}

}  // namespace

std::string answer_text(const nn::Taxonomy& taxonomy, std::int32_t answer) {
    if (answer < 0) return "none of these";
    const auto& name = taxonomy.names()[static_cast<std::size_t>(answer)];
    return answer < taxonomy.leaves() ? name : name + "/?";
}

std::vector<std::int32_t> Predictions::answers() const {
    const nn::Taxonomy taxonomy(classes);
    std::vector<std::int32_t> all;
    for (std::size_t row = 0; row < paths.size(); ++row)
        all.push_back(nn::answer_of(probabilities_of(row), taxonomy, threshold));
    return all;
}

std::vector<std::size_t> Predictions::best(std::size_t row, std::int64_t count) const {
    std::vector<std::size_t> order(classes.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return probability(row, a) > probability(row, b);
    });
    order.resize(std::min(order.size(), static_cast<std::size_t>(count)));
    return order;
}

void write_predictions(const std::string& path, const Predictions& predictions, std::int64_t top,
                       const store::Provenance& provenance, const comm::Communicator& world) {
    if (path.ends_with(".csv"))
        store::publish_text(path, as_csv(predictions, top), world);
    else if (path.ends_with(".json"))
        store::publish_text(path, as_json(predictions, top, provenance), world);
    else
        write_artefact(path, predictions, provenance, world);
}

}  // namespace nanoatlas::jobs
