#include "jobs/pipeline.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/check.hpp"
#include "base/version.hpp"
#include "store/plain_file.hpp"
#include "store/provenance.hpp"

namespace nanoatlas::jobs {
namespace {

namespace fs = std::filesystem;

// What stage writes which file of the folder, and which files it reads: option -> file name.
struct Wiring {
    const char* name;  ///< of the stage, and of its job unless `job` says otherwise
    bool only_with_section;
    const char* output;
    std::vector<std::pair<const char*, const char*>> inputs;
    const char* job = nullptr;
};

const std::vector<Wiring>& wirings() {
    static const std::vector<Wiring> table = {
        {"synth", true, "images", {}},
        {"ingest", false, "corpus.h5", {{"images", "images"}}},
        {"train", true, "model.h5", {{"corpus", "corpus.h5"}}},
        {"evaluate", true, "metrics.json", {{"corpus", "corpus.h5"}, {"model", "model.h5"}}},
        {"extract", false, "features.h5", {{"corpus", "corpus.h5"}}},
        {"enhance", true, "enhanced.h5", {{"input", "features.h5"}, {"corpus", "corpus.h5"}}},
        {"reduce", false, "embedding.h5", {{"input", "features.h5"}}},
        {"neighbours", false, "neighbours.h5", {}},  // of the matrix that cluster reads
        {"dimension", true, "dimension.json", {}},
        {"map", false, "map.h5", {{"input", "embedding.h5"}}, "reduce"},
        {"cluster", false, "clusters.h5", {{"input", "embedding.h5"}}},
        {"score",
         true,
         "scores.json",
         {{"clusters", "clusters.h5"}, {"truth", "corpus.h5"}, {"embedding", "embedding.h5"}}},
        {"report",
         false,
         "atlas",
         {{"corpus", "corpus.h5"},
          {"embedding", "embedding.h5"},
          {"map", "map.h5"},
          {"clusters", "clusters.h5"}}},
    };
    return table;
}

std::string section_of(const std::string& name) {
    return name.substr(0, name.find('.'));
}

// "csv:labels.csv" and "features.h5:/features" name the files labels.csv and features.h5.
std::string file_of(std::string value) {
    if (value.starts_with("csv:")) value.erase(0, 4);
    if (const auto dataset = value.rfind(":/"); dataset != std::string::npos) value.resize(dataset);
    return value;
}

std::string option_or(const Stage& stage, const char* name, const std::string& otherwise) {
    const auto found = stage.options.find(name);
    return found == stage.options.end() ? otherwise : found->second.at(0);
}

// What a stage says of a number is checked by its job; here it only says how long lists should be.
std::int64_t number_or(const Stage& stage, const char* name, std::int64_t otherwise) {
    std::int64_t largest = 0;
    std::istringstream list(option_or(stage, name, ""));  // "5,10,20" or one number
    for (std::string word; std::getline(list, word, ',');)
        largest = std::max<std::int64_t>(largest, std::strtoll(word.c_str(), nullptr, 10));
    return largest > 0 ? largest : otherwise;
}

// How many neighbours of each row the stage goes by; 0: it needs no lists.
std::int64_t neighbours_of(const Stage& stage) {
    if (stage.name == "dimension") return number_or(stage, "range", 64);
    if (stage.name == "map")
        return option_or(stage, "method", "") == "tsne" && !stage.options.contains("enhance")
                   ? 3 * (number_or(stage, "perplexity", 29) + 1)
                   : 0;
    if (stage.job != "cluster") return 0;
    const auto method = option_or(stage, "method", "adp");
    if (method == "adp") return number_or(stage, "maxk", 100);
    if (method != "hdbscan") return 0;
    const auto size = std::max(number_or(stage, "min-cluster-size", 5),
                               number_or(stage, "min-cluster-size-scan", 0));
    // A list that reaches beyond the core distance spares the tree most searches.
    const auto samples = number_or(stage, "min-samples", size);
    return samples + 4 + samples / 4;
}

// Lists of the matrix that cluster reads, unless told otherwise, are made once for all stages that
// go by neighbours in it; where no stage does, they are made only if they have a section.
void share_neighbours(std::vector<Stage>& stages, bool has_section) {
    const auto lists = std::ranges::find(stages, "neighbours", &Stage::job);
    lists->options.try_emplace(
        "input", std::ranges::find(stages, "cluster", &Stage::job)->options.at("input"));
    const auto matrix = lists->options.at("input");
    std::int64_t longest = 0;
    for (auto& stage : stages) {
        if (stage.job == "dimension") stage.options.try_emplace("input", matrix);
        if (neighbours_of(stage) == 0 || stage.options.contains("neighbours") ||
            stage.options.at("input") != matrix)
            continue;
        stage.options["neighbours"] = {lists->output()};
        longest = std::max(longest, neighbours_of(stage));
    }
    if (longest > 0)
        lists->options.try_emplace("k", std::vector{fmt::format("at-most={}", longest)});
    else if (!has_section)
        stages.erase(lists);
}

}  // namespace

std::string Stage::output() const {
    return options.at("output").at(0);
}

Arguments Stage::arguments() const {
    Arguments words;
    for (const auto& [option, values] : options) {
        words.push_back("--" + option);
        words.insert(words.end(), values.begin(), values.end());
    }
    return words;
}

std::vector<std::string> Stage::inputs() const {
    std::vector<std::string> paths;
    for (const auto& [option, values] : options) {
        if (option == "output" || option == "checkpoint") continue;
        for (const auto& value : values)
            if (const auto file = file_of(value); !file.empty() && fs::exists(file))
                paths.push_back(file);
    }
    return paths;
}

bool Stage::can_resume() const {
    return job == "train" || (job == "reduce" && option_or(*this, "method", "") == "autoencoder");
}

std::vector<Stage> plan_pipeline(const base::Settings& settings,
                                 const std::vector<std::string>& named) {
    std::map<std::string, std::map<std::string, std::vector<std::string>>> sections;
    for (const auto& section : named)
        if (section != "run") sections[section];
    std::string folder = ".";
    for (const auto& [name, value] : settings) {
        if (name == "run.folder") folder = value;
        if (name.find('.') == std::string::npos || section_of(name) == "run") continue;
        sections[section_of(name)][name.substr(name.find('.') + 1)].push_back(value);
    }
    for (const auto& entry : sections)
        VALIDATE(std::any_of(wirings().begin(), wirings().end(),
                             [&](const auto& wiring) { return entry.first == wiring.name; }),
                 "section [{}] of the configuration is no stage of 'run'; rename or remove it",
                 entry.first);
    std::vector<Stage> stages;
    for (const auto& wiring : wirings()) {
        if (wiring.only_with_section && !sections.contains(wiring.name)) continue;
        Stage stage{.name = wiring.name,
                    .job = wiring.job != nullptr ? wiring.job : wiring.name,
                    .options = sections[wiring.name]};
        const auto place = [&](const char* file) {
            return std::vector{(fs::path(folder) / file).string()};
        };
        stage.options.try_emplace("output", place(wiring.output));
        for (const auto& [option, file] : wiring.inputs)
            stage.options.try_emplace(option, place(file));
        if (stage.name == "map") {
            stage.options.try_emplace("method", std::vector<std::string>{"tsne"});
            stage.options.try_emplace("components", std::vector<std::string>{"2"});
            if (const auto& cluster = sections["cluster"];
                cluster.contains("input") && !sections["map"].contains("input"))
                stage.options["input"] = cluster.at("input");
        }
        if (stage.name == "reduce" && sections.contains("enhance") &&
            !sections["reduce"].contains("input"))
            stage.options["input"] = stages.back().options.at("output");
        if (stage.name == "report") {
            if (sections.contains("evaluate"))
                stage.options.try_emplace("metrics", place("metrics.json"));
            if (sections.contains("score"))
                stage.options.try_emplace("scores", place("scores.json"));
            if (sections.contains("dimension"))
                stage.options.try_emplace("dimension", place("dimension.json"));
        }
        stages.push_back(std::move(stage));
    }
    share_neighbours(stages, std::ranges::find(named, "neighbours") != named.end());
    return stages;
}

PipelineState::PipelineState(std::string path, const comm::Communicator& comm)
    : path_(std::move(path)), comm_(comm) {
    std::string text;
    if (comm_.is_root()) {
        std::ifstream file(path_);
        text.assign(std::istreambuf_iterator<char>(file), {});
    }
    // A state that cannot be read only means that everything runs again.
    const auto document = nlohmann::json::parse(comm_.broadcast(text), nullptr, false);
    if (!document.is_object()) return;
    for (const auto& [stage, entry] : document.items())
        if (entry.is_object())
            entries_[stage] = {entry.value("key", ""), entry.value("output_hash", ""),
                               entry.value("seconds", 0.0)};
}

std::string PipelineState::hash_of(const std::string& path) const {
    const bool is_folder = comm_.broadcast(fs::is_directory(path));
    return is_folder ? store::hash_folder(path, comm_) : store::hash_file(path, comm_);
}

std::string PipelineState::key_of(const Stage& stage) const {
    std::string key = fmt::format("{} {} {}", stage.name, base::version(), base::commit());
    for (const auto& word : stage.arguments()) key += " " + word;
    for (const auto& input : comm_.broadcast(stage.inputs())) key += " " + hash_of(input);
    return key;
}

bool PipelineState::is_up_to_date(const Stage& stage, const std::string& key) const {
    const auto entry = entries_.find(stage.name);
    if (entry == entries_.end() || !comm_.broadcast(fs::exists(stage.output()))) return false;
    return key == entry->second.key && hash_of(stage.output()) == entry->second.output_hash;
}

void PipelineState::record(const Stage& stage, const std::string& key, double seconds) {
    entries_[stage.name] = {key, hash_of(stage.output()), seconds};
    save();
}

double PipelineState::seconds(const Stage& stage) const {
    const auto entry = entries_.find(stage.name);
    return entry == entries_.end() ? 0 : entry->second.seconds;
}

void PipelineState::save() const {
    nlohmann::json document;
    for (const auto& [stage, entry] : entries_)
        document[stage] = {
            {"key", entry.key}, {"output_hash", entry.output_hash}, {"seconds", entry.seconds}};
    const auto text = document.dump(1, ' ', false, nlohmann::json::error_handler_t::replace);
    store::publish_text(path_, text + "\n", comm_);
}

}  // namespace nanoatlas::jobs
