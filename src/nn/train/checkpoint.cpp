#include "nn/train/checkpoint.hpp"

#include <fmt/core.h>

#include <filesystem>

#include "base/check.hpp"
#include "store/artefact.hpp"
#include "store/provenance.hpp"

namespace nanoatlas::nn {
namespace {

std::string file_in(const std::string& folder) {
    return (std::filesystem::path(folder) / "checkpoint.h5").string();
}

void write_tensors(store::ArtefactWriter& writer, const std::string& group,
                   const TensorMap& tensors) {
    for (const auto& [name, tensor] : tensors)
        writer.write_whole<float>(fmt::format("{}/{}", group, name), tensor.values, tensor.shape);
}

TensorMap read_tensors(const store::ArtefactReader& reader, const std::string& group) {
    TensorMap tensors;
    for (const auto& dataset : reader.datasets())
        if (dataset.starts_with(group + "/"))
            tensors[dataset.substr(group.size() + 1)] = {.shape = reader.shape(dataset),
                                                         .values = reader.read<float>(dataset)};
    return tensors;
}

std::vector<std::string> lines_of(const TrainingSettingsText& settings) {
    std::vector<std::string> lines;
    for (const auto& [name, value] : settings) lines.push_back(fmt::format("{} = {}", name, value));
    return lines;
}

void check_settings(const store::ArtefactReader& reader, const TrainingSettingsText& settings) {
    const auto then = reader.read_strings("settings");
    const auto now = lines_of(settings);
    for (std::size_t i = 0; i < now.size(); ++i)
        VALIDATE(i < then.size() && then[i] == now[i],
                 "cannot resume from '{}': it was trained with '{}', now asked for is '{}' (the "
                 "result would be neither); give the same options, or another --checkpoint",
                 reader.path(), i < then.size() ? then[i] : "", now[i]);
}

void write_best(store::ArtefactWriter& writer, const std::vector<BestModel>& best) {
    std::vector<double> epochs, accuracies, losses;
    for (std::size_t i = 0; i < best.size(); ++i) {
        write_tensors(writer, "best" + std::to_string(i), best[i].tensors);
        epochs.push_back(static_cast<double>(best[i].score.epoch));
        accuracies.push_back(best[i].score.accuracy);
        losses.push_back(best[i].score.loss);
    }
    if (best.empty()) return;
    writer.attribute("best_epoch", epochs);
    writer.attribute("best_accuracy", accuracies);
    writer.attribute("best_loss", losses);
}

std::vector<BestModel> read_best(const store::ArtefactReader& reader) {
    std::vector<BestModel> best;
    if (!reader.has_attribute("best_epoch")) return best;
    const auto epochs = reader.numbers("best_epoch"), losses = reader.numbers("best_loss"),
               accuracies = reader.numbers("best_accuracy");
    for (std::size_t i = 0; i < epochs.size(); ++i)
        best.push_back({.score = {.epoch = static_cast<std::int64_t>(epochs[i]),
                                  .accuracy = accuracies.at(i),
                                  .loss = losses.at(i)},
                        .tensors = read_tensors(reader, "best" + std::to_string(i))});
    return best;
}

std::int64_t whole(const store::ArtefactReader& reader, const std::string& attribute) {
    return static_cast<std::int64_t>(reader.number(attribute));
}

}  // namespace

void write_checkpoint(const std::string& folder, const TrainingState& state,
                      const TrainingSettingsText& settings, const store::Provenance& provenance,
                      const comm::Communicator& comm) {
    store::ArtefactWriter writer(file_in(folder), "checkpoint", comm);
    write_tensors(writer, "tensors", state.tensors);
    write_tensors(writer, "average", state.average);
    write_best(writer, state.best);
    for (std::size_t i = 0; i < state.optimizer.size(); ++i)
        write_tensors(writer, "optimizer" + std::to_string(i), state.optimizer[i]);
    writer.write_whole_strings("settings", lines_of(settings));
    if (!state.history.empty()) writer.write_whole_strings("history", state.history);
    writer.attribute("epoch", state.epoch);
    writer.attribute("step", state.step);
    writer.attribute("loss_sum", state.loss_sum);
    writer.attribute("seen", state.seen);
    writer.attribute("correct", state.correct);
    writer.attribute("seconds", state.seconds);
    writer.attribute("optimizer_buffers", static_cast<std::int64_t>(state.optimizer.size()));
    writer.attribute("optimizer_steps", state.optimizer_steps);
    writer.publish(provenance);
}

std::optional<TrainingState> read_checkpoint(const std::string& folder,
                                             const TrainingSettingsText& settings,
                                             const comm::Communicator& comm) {
    if (!comm.broadcast(std::filesystem::exists(file_in(folder)))) return std::nullopt;
    const store::ArtefactReader reader(file_in(folder), "checkpoint");
    check_settings(reader, settings);
    TrainingState state{.epoch = whole(reader, "epoch"),
                        .step = whole(reader, "step"),
                        .loss_sum = reader.number("loss_sum"),
                        .seen = whole(reader, "seen"),
                        .correct = whole(reader, "correct"),
                        .seconds = reader.number("seconds"),
                        .tensors = read_tensors(reader, "tensors"),
                        .average = read_tensors(reader, "average"),
                        .optimizer = {},
                        .optimizer_steps = whole(reader, "optimizer_steps"),
                        .best = read_best(reader),
                        .history = {}};
    for (std::int64_t i = 0; i < whole(reader, "optimizer_buffers"); ++i)
        state.optimizer.push_back(read_tensors(reader, "optimizer" + std::to_string(i)));
    if (reader.has("history")) state.history = reader.read_strings("history");
    return state;
}

}  // namespace nanoatlas::nn
