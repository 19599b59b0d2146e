#include "jobs/checkpoints.hpp"

#include <filesystem>

#include "base/check.hpp"
#include "base/log.hpp"

namespace nanoatlas::jobs {

void add_checkpoint_options(base::OptionTable& table, CheckpointOptions& options,
                            const std::string& prefix, const std::string& files) {
    table
        .add("time-limit", options.time_limit,
             prefix +
                 "stop in time with a checkpoint and status 75: minutes, H:MM:SS or D-HH:MM:SS "
                 "since the program began")
        .volatile_option();
    table
        .add("checkpoint", options.folder,
             prefix + "folder for " + files + "; default: beside the output")
        .volatile_option();
    table.add("resume", options.resume, prefix + "go on from the checkpoint, if there is one")
        .volatile_option();
}

void complete(CheckpointOptions& options, const std::string& output) {
    if (options.folder.empty())
        options.folder = std::filesystem::path(output).replace_extension("checkpoint").string();
    if (!options.time_limit.empty())
        options.time_limit_seconds = nn::parse_time_limit(options.time_limit);
}

void make_checkpoint_folder(const CheckpointOptions& options, const comm::Communicator& world) {
    world.on_root([&] {
        std::error_code error;
        std::filesystem::create_directories(options.folder, error);
        VALIDATE(!error, "cannot make the folder '{}' ({}); name another with --checkpoint",
                 options.folder, error.message());
    });
}

std::optional<nn::TrainingState> earlier_state(const CheckpointOptions& options,
                                               const nn::TrainingSettingsText& settings,
                                               const comm::Communicator& world) {
    if (!options.resume) return std::nullopt;
    auto state = nn::read_checkpoint(options.folder, settings, world);
    base::log_info(
        state ? fmt::format("going on from epoch {}, step {}", state->epoch + 1, state->step + 1)
              : fmt::format("no checkpoint in '{}' yet", options.folder));
    return state;
}

nn::TrainingHooks checkpoint_hooks(const CheckpointOptions& options,
                                   const nn::TrainingSettingsText& settings,
                                   const comm::StopSignals& signals, const std::string& phase,
                                   store::Provenance& provenance, const comm::Communicator& world) {
    nn::TrainingHooks hooks;
    hooks.stop = [&] { return signals.requested(world); };
    hooks.time_limit = options.time_limit_seconds;
    hooks.save = [&, phase](const nn::TrainingState& state) {
        const auto scope = provenance.phases().measure(phase);
        nn::write_checkpoint(options.folder, state, settings, provenance, world);
    };
    return hooks;
}

}  // namespace nanoatlas::jobs
