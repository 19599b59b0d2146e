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
    const auto position = [&](const std::string& job, const char* option) {
        const auto it = std::find_if(stages.begin(), stages.end(),
                                     [&](const Stage& stage) { return stage.job == job; });
        VALIDATE(it != stages.end(), "--{} '{}' is no stage of this configuration", option, job);
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
    if (options.resume && stage.job == "train" && !stage.options.contains("resume"))
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

void print_summary(const std::vector<Stage>& stages, const std::vector<bool>& skipped,
                   const PipelineState& state) {
    base::print("");
    for (std::size_t i = 0; i < stages.size(); ++i) {
        const auto& stage = stages[i];
        std::string found;
        if (stage.job == "evaluate") found = figure(stage, "accuracy");
        if (stage.job == "score") found = figure(stage, "nmi") + "  " + figure(stage, "ari");
        base::print(fmt::format("{:<10} {:>8.1f} s  {:<11} {}  {}", stage.job, state.seconds(stage),
                                skipped[i] ? "up to date" : "", stage.output(), found));
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
    auto settings = base::read_ini(table.config());
    if (!folder.empty()) {
        settings.emplace_back("run.folder", folder);
        world.on_root([&] { fs::create_directories(folder); });
    }
    const auto stages =
        select(plan_pipeline(settings, base::read_ini_sections(table.config())), options);
    PipelineState state((fs::path(folder) / "run-state.json").string(), world);
    std::vector<bool> skipped;
    for (const auto& stage : stages) {
        skipped.push_back(!options.force && state.is_up_to_date(stage));
        if (skipped.back()) continue;
        base::log_info(fmt::format("-- {}", stage.job));
        const base::Stopwatch watch;
        const int status = find_job(stage.job)->run(arguments_of(stage, options), world);
        if (status != comm::exit_status::done) return status;
        state.record(stage, watch.seconds());
    }
    print_summary(stages, skipped, state);
    return comm::exit_status::done;
}

}  // namespace nanoatlas::jobs
