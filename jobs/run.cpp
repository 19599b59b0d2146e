// nanoatlas run: the whole way by one configuration; skips what is up to date.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/check.hpp"
#include "base/log.hpp"
#include "base/options.hpp"
#include "base/stopwatch.hpp"
#include "comm/session.hpp"
#include "comm/signals.hpp"
#include "jobs/jobs.hpp"
#include "jobs/pipeline.hpp"

namespace nanoatlas::jobs {
namespace {

namespace fs = std::filesystem;

struct RunOptions {
    std::string from, to;
    bool force = false, resume = false;
};

std::vector<Stage> select(std::vector<Stage> stages, const RunOptions& options) {
    const auto position = [&](const std::string& name, const char* option) {
        const auto it = std::find_if(stages.begin(), stages.end(),
                                     [&](const Stage& stage) { return stage.name == name; });
        VALIDATE(it != stages.end(), "--{} '{}' is no stage of this configuration", option, name);
        return it - stages.begin();
    };
    const auto first = options.from.empty() ? 0 : position(options.from, "from");
    const auto last = options.to.empty() ? std::ssize(stages) - 1 : position(options.to, "to");
    VALIDATE(first <= last, "--from '{}' comes after --to '{}' (no stage is left); exchange them",
             options.from, options.to);
    return {stages.begin() + first, stages.begin() + last + 1};
}

/// Training goes on where an earlier run was stopped, if the user says so. The stage itself does
/// not hold the option: what was resumed is up to date for those who do not ask to resume, too.
Arguments arguments_of(const Stage& stage, const RunOptions& options) {
    auto words = stage.arguments();
    if (options.resume && stage.can_resume() && !stage.options.contains("resume"))
        words.emplace_back("--resume");
    return words;
}

/// One figure of a JSON file that a stage wrote, for the summary.
std::string figure(const Stage& stage, const char* key) {
    std::ifstream file(stage.output());
    const auto document = nlohmann::json::parse(file, nullptr, false);
    if (!document.is_object() || !document.contains(key) || !document[key].is_number()) return "";
    return fmt::format("{} {:.3f}", key, document[key].get<double>());
}

/// What became of a stage, in a word for the summary.
enum class Outcome { done, up_to_date, left_out };

const char* word_for(Outcome outcome) {
    return outcome == Outcome::up_to_date ? "up to date"
           : outcome == Outcome::left_out ? "left out"
                                          : "";
}

/// Evaluation, scores, dimension and the map are worth having but nothing else needs them: a corpus
/// without a test part, without labels, on a grid or of a few images does not keep the atlas from
/// being drawn.
bool is_dispensable(const Stage& stage) {
    return stage.name == "evaluate" || stage.name == "score" || stage.name == "dimension" ||
           stage.name == "map";
}

/// The report names no figures that were left out, and no map.
void drop_missing_inputs(Stage& stage) {
    for (const char* option : {"map", "metrics", "scores", "dimension"}) {
        const auto it = stage.options.find(option);
        if (it != stage.options.end() && !fs::exists(it->second.at(0))) stage.options.erase(it);
    }
}

Outcome run_stage(const Stage& stage, const RunOptions& options, PipelineState& state,
                  const comm::Communicator& world) {
    const auto key = state.key_of(stage);
    if (!options.force && state.is_up_to_date(stage, key)) return Outcome::up_to_date;
    base::log_info(fmt::format("-- {}", stage.name));
    const base::Stopwatch watch;
    try {
        find_job(stage.job)->run(arguments_of(stage, options), world);
    } catch (const InputError& error) {
        if (!is_dispensable(stage)) throw;
        base::log_warning(fmt::format("{} is left out: {}", stage.name, error.what()));
        return Outcome::left_out;
    }
    state.record(stage, key, watch.seconds());
    return Outcome::done;
}

void print_summary(const std::vector<Stage>& stages, const std::vector<Outcome>& outcomes,
                   const PipelineState& state) {
    base::print("");
    for (std::size_t i = 0; i < stages.size(); ++i) {
        const auto& stage = stages[i];
        std::string found;
        if (stage.job == "evaluate") found = figure(stage, "accuracy");
        if (stage.job == "score") found = figure(stage, "nmi") + "  " + figure(stage, "ari");
        base::print(fmt::format("{:<10} {:>8.1f} s  {:<11} {}  {}", stage.name,
                                state.seconds(stage), word_for(outcomes[i]), stage.output(),
                                found));
    }
    for (const auto& stage : stages)
        if (stage.job == "report")
            base::print(
                fmt::format("\nopen the atlas: {}",
                            fs::absolute(fs::path(stage.output()) / "index.html").string()));
}

}  // namespace

int run_run(const Arguments& arguments, const comm::Communicator& world) {
    RunOptions options;
    base::OptionTable table("run", "walks the whole way, from images to an atlas");
    std::string folder;
    table.add("folder", folder, "where the artefacts go");
    table.add("from", options.from, "first stage to run");
    table.add("to", options.to, "last stage to run");
    table.add("force", options.force, "run stages that are up to date as well");
    table.add("resume", options.resume, "training goes on from its checkpoint, if there is one");
    if (table.parse(arguments) == base::Parsed::done) return comm::exit_status::done;
    VALIDATE(!table.config().empty(),
             "--config is missing (it names the stages' options); see "
             "input/ for examples");
    const comm::StopSignals signals;
    auto settings = base::read_ini(table.config());
    if (!folder.empty()) {
        settings.emplace_back("run.folder", folder);
        world.on_root([&] {
            std::error_code error;
            fs::create_directories(folder, error);
            VALIDATE(!error, "cannot make folder '{}' ({}); name another in [run]", folder,
                     error.message());
        });
    }
    auto stages = select(plan_pipeline(settings, base::read_ini_sections(table.config())), options);
    PipelineState state((fs::path(folder) / "run-state.json").string(), world);
    std::vector<Outcome> outcomes;
    for (auto& stage : stages) {
        if (signals.requested(world))
            throw StoppedOnRequest(
                fmt::format("stopped on request before {}; run again", stage.name));
        if (stage.job == "report") drop_missing_inputs(stage);
        outcomes.push_back(run_stage(stage, options, state, world));
    }
    print_summary(stages, outcomes, state);
    return comm::exit_status::done;
}

}  // namespace nanoatlas::jobs
