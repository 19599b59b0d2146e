// nanoatlas train: a network learns the labelled images of a corpus.
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/check.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "comm/session.hpp"
#include "comm/signals.hpp"
#include "jobs/jobs.hpp"
#include "jobs/train_options.hpp"
#include "jobs/training_pages.hpp"
#include "nn/train/fit.hpp"
#include "nn/train/growth.hpp"
#include "nn/train/rejection.hpp"
#include "nn/train/start.hpp"
#include "nn/zoo/zoo.hpp"
#include "store/output.hpp"
#include "store/plain_file.hpp"
#include "store/provenance.hpp"

namespace nanoatlas::jobs {
namespace {

namespace fs = std::filesystem;

bool begins_with_a_file(const TrainOptions& options) {
    return options.init != "auto" && options.init != "none";
}

nn::InferenceOptions inference_options(const TrainOptions& options) {
    return {
        .batch = 32, .precision = options.network.precision, .backend = options.network.backend};
}

nn::ModelFile starting_model(const TrainOptions& options, const store::CorpusReader& corpus,
                             const nn::FitData& data, store::Provenance& provenance,
                             const comm::Communicator& world) {
    const auto seed = options.fit.train.seed;
    const auto classes = nn::leaf_names(corpus.classes());
    if (options.init == "none" ||
        (options.init == "auto" && options.arch != "efficientnet_lite0")) {
        const auto published = static_cast<int>(nn::zoo::published_size(options.arch));
        const int size = options.size > 0 ? options.size : std::min(published, corpus.height());
        const auto statistics = nn::pixel_statistics(data.images, data.train.rows, world);
        return nn::fresh_model(options.arch, classes, size, statistics, seed);
    }
    if (options.init == "auto")
        return nn::adapted_model(nn::default_model(world), classes, options.size, seed);
    provenance.add_input(options.init);
    auto model = nn::read_model(options.init, world);
    auto grown = nn::grown_classes(model.classes, corpus.classes(),
                                   nn::parse_old_classes(options.old_classes));
    return nn::adapted_model(std::move(model), grown, options.size, seed);
}

/// The samples by the model's classes, in place of the corpus's.
void relabel(nn::FitData& data, const store::CorpusReader& corpus, const nn::ModelFile& model) {
    const nn::Taxonomy taxonomy(model.classes);
    data.train = nn::relabelled(data.train, corpus.classes(), taxonomy).known;
    data.validation = nn::relabelled(data.validation, corpus.classes(), taxonomy).known;
    nn::warn_of_absent_classes(taxonomy, data.train);
}

/// Nothing unless the training begins with a model that knows classes of the corpus. Collective.
std::optional<nn::Retention> watch_old_classes(const TrainOptions& options,
                                               const store::CorpusReader& corpus,
                                               const nn::FitData& data,
                                               const comm::Communicator& world) {
    if (!begins_with_a_file(options)) return std::nullopt;
    const auto old = nn::read_model(options.init, world);
    if (!nn::knows_any(old.classes, corpus.classes())) return std::nullopt;
    return std::make_optional<nn::Retention>(old, corpus, data.validation, data.images,
                                             inference_options(options), world);
}

void report_old_classes(const nn::Retention& watched, const nn::ModelFile& model,
                        const std::string& init, store::Provenance& provenance) {
    const auto classes = watched.compare(model);
    const auto all = nn::Retention::sum(classes);
    if (all.rows == 0)
        return base::log_warning(fmt::format(
            "the validation part has no images of the classes that '{}' knew: how well they are "
            "still known cannot be told",
            init));
    for (const auto& one : classes)
        base::log_info(fmt::format("old class '{}': {:.4f} before, {:.4f} after, {} images",
                                   one.name, one.before(), one.after(), one.rows));
    base::log_info(fmt::format(
        "the {} classes that '{}' knew: accuracy {:.4f} before, {:.4f} after, on {} images of the "
        "validation part",
        classes.size(), init, all.before(), all.after(), all.rows));
    provenance.add_result("old_classes_images", static_cast<double>(all.rows));
    provenance.add_result("old_classes_accuracy_before", all.before());
    provenance.add_result("old_classes_accuracy_after", all.after());
}

void report_calibration(const nn::Calibration& found, const nn::ModelFile& model,
                        double target_precision, store::Provenance& provenance) {
    if (found.rows == 0)
        return base::log_warning(
            "the validation part has no labelled images: probabilities are as the network gives "
            "them, and there is no threshold for none of these");
    base::log_info(
        fmt::format("temperature {:.4f}: loss {:.4f} -> {:.4f}, calibration error {:.4f} -> {:.4f}",
                    model.temperature, found.before.loss, found.after.loss,
                    found.before.calibration_error, found.after.calibration_error));
    provenance.add_result("temperature", model.temperature);
    provenance.add_result("validation_loss_before_temperature", found.before.loss);
    provenance.add_result("validation_loss", found.after.loss);
    if (model.threshold)
        base::log_info(fmt::format(
            "threshold {:.4f} for precision {}: {:.2f} % of the validation images get an answer, "
            "{:.2f} % of these are right",
            model.threshold->value, target_precision, 100 * model.threshold->coverage,
            100 * model.threshold->precision));
    else if (target_precision > 0)
        base::log_warning(fmt::format(
            "no threshold can be vouched for at precision {} (the {} validation images are too "
            "few, or too many answers are wrong); everything gets an answer",
            target_precision, found.rows));
}

/// A model to begin with says what the network is; another --arch beside it is a mistake.
void check_architecture(const base::OptionTable& table, const TrainOptions& options,
                        const nn::ModelFile& model) {
    for (const auto& [name, value] : table.given())
        VALIDATE(
            name != "arch" || model.arch == value,
            "--arch is {}, but '{}' is a {} (weights fit their own network only); leave --arch "
            "out or give another --init",
            value, options.init, model.arch);
}

std::string name_of(const store::CorpusReader& corpus, std::int64_t row) {
    return fmt::format("row {} '{}'", row, corpus.file().read_strings("path", row, 1).at(0));
}

/// What must be equal for a checkpoint to be gone on with: options, images and labels.
nn::TrainingSettingsText settings_text(const base::OptionTable& table, const nn::FitData& data) {
    nn::TrainingSettingsText settings;
    for (const auto& setting : table.fingerprint()) {
        const bool may_change = setting.first == "epochs" || setting.first == "output" ||
                                setting.first == "corpus" || setting.first == "keep";
        if (!may_change) settings.push_back(setting);
    }
    std::uint64_t hash = 0;
    for (std::size_t i = 0; i < data.train.rows.size(); ++i)
        hash = base::mix(
            hash ^ static_cast<std::uint64_t>(data.train.rows[i] * 65536 + data.train.labels[i]));
    settings.emplace_back("training samples", fmt::format("{:016x}", hash));
    return settings;
}

void report_epoch(const std::string& line, std::int64_t epochs) {
    const auto metrics = nlohmann::json::parse(line);
    auto text =
        fmt::format("epoch {}/{}  loss {:.4f}  accuracy {:.4f}  {:.1f} img/s",
                    metrics["epoch"].get<int>(), epochs, metrics["loss"].get<double>(),
                    metrics["accuracy"].get<double>(), metrics["images_per_second"].get<double>());
    if (metrics.contains("validation"))
        text += fmt::format("  validation: loss {:.4f}  accuracy {:.4f}  macro-F1 {:.4f}",
                            metrics["validation"]["loss"].get<double>(),
                            metrics["validation"]["accuracy"].get<double>(),
                            metrics["validation"]["macro_f1"].get<double>());
    base::log_info(text);
    base::log_event("epoch", line);
}

nn::TrainingHooks make_hooks(const TrainOptions& options, const nn::TrainingSettingsText& settings,
                             const comm::StopSignals& signals, CurvesPage& curves,
                             store::Provenance& provenance, const comm::Communicator& world) {
    auto hooks = checkpoint_hooks(options.checkpoint, settings, signals, "train/checkpoint",
                                  provenance, world);
    hooks.step_done = [&](const nn::TrainingState& state) { curves.step_done(state); };
    hooks.save = [&, keep = hooks.save](const nn::TrainingState& state) {
        keep(state);
        std::string lines;
        for (const auto& line : state.history) lines += line + "\n";
        store::publish_text((fs::path(options.checkpoint.folder) / "metrics.jsonl").string(), lines,
                            world);
        curves.show(state);
    };
    hooks.epoch_done = [epochs = options.fit.train.epochs](const std::string& line) {
        report_epoch(line, epochs);
    };
    return hooks;
}

std::string title_of(const TrainOptions& options, const nn::ModelFile& model) {
    return fmt::format("{} on {}", model.arch, fs::path(options.corpus).filename().string());
}

/// Trains the model, with checkpoints and a page that shows how it goes. Collective.
nn::TrainingResult train(nn::ModelFile& model, const nn::FitData& data, const TrainOptions& options,
                         const nn::TrainingSettingsText& settings, const comm::StopSignals& signals,
                         store::Provenance& provenance, const comm::Communicator& world) {
    const auto scope = provenance.phases().measure("train/epochs");
    auto state = earlier_state(options.checkpoint, settings, world);
    CurvesPage curves((fs::path(options.checkpoint.folder) / "curves.html").string(),
                      title_of(options, model), options.fit.train.epochs,
                      std::ssize(data.train.rows), world);
    if (state) curves.show(*state);
    const auto hooks = make_hooks(options, settings, signals, curves, provenance, world);
    try {
        auto result = nn::fit(model, data, options.fit, std::move(state), hooks, world);
        curves.ended(fmt::format("the weights written are those of epoch {}", result.epoch));
        return result;
    } catch (const std::exception& error) {
        curves.ended(error.what());
        throw;
    }
}

/// Tells which rate to train with, and leaves no model. Collective.
void find_rate(const nn::ModelFile& model, const nn::FitData& data, const TrainOptions& options,
               const comm::Communicator& world) {
    const auto test = nn::test_rates(model, data, options.fit, {}, world);
    write_rate_test(options.checkpoint.folder, title_of(options, model), test, world);
    const auto place = (fs::path(options.checkpoint.folder) / "find-lr.html").string();
    base::print(test.suggestion
                    ? fmt::format("the loss falls fastest at a learning rate of {:.2g}: give --lr "
                                  "{:.2g}; the curve is in {}",
                                  *test.suggestion, *test.suggestion, place)
                    : fmt::format("the loss never fell, so no learning rate is suggested; the "
                                  "curve is in {}",
                                  place));
}

/// The next best epochs beside the output, and all of them in best.json of the checkpoint's folder.
/// Collective.
void write_best(const TrainOptions& options, const nn::ModelFile& model,
                const nn::TrainingResult& result, const store::Provenance& provenance,
                const comm::Communicator& world) {
    auto list = nlohmann::ordered_json::array();
    for (std::size_t i = 0; i < result.best.size(); ++i) {
        const auto& score = result.best[i];
        fs::path file(options.output);
        if (i > 0) {
            file.replace_extension(fmt::format("{}{}", i + 1, file.extension().string()));
            auto other = model;
            for (const auto& [name, tensor] : result.runners_up[i - 1])
                other.tensors[name] = tensor;
            auto own = provenance;
            own.add_result("validation_accuracy", score.accuracy);
            nn::write_model(file.string(), other, own, world);
        }
        list.push_back({{"file", file.string()},
                        {"epoch", score.epoch + 1},
                        {"accuracy", score.accuracy},
                        {"loss", score.loss}});
    }
    store::publish_text((fs::path(options.checkpoint.folder) / "best.json").string(),
                        list.dump(2) + "\n", world);
}

void print_summary(const TrainOptions& options, const nn::ModelFile& model, const nn::FitData& data,
                   const nn::TrainingResult& result) {
    base::print(fmt::format(
        "{}: {} classes, trained on {} images of {}x{} pixels, weights of epoch {}{} -> {}",
        model.arch, model.classes.size(), data.train.rows.size(), model.size, model.size,
        result.epoch,
        result.validation_accuracy
            ? fmt::format(", best validation accuracy {:.4f}", *result.validation_accuracy)
            : "",
        options.output));
}

}  // namespace

int run_train(const Arguments& arguments, const comm::Communicator& world) {
    TrainOptions options;
    auto table = describe(options);
    if (table.parse(arguments) == base::Parsed::done) return comm::exit_status::done;
    complete(options);
    store::check_output(options.output, world);
    const comm::StopSignals signals;
    store::Provenance provenance(table, world);
    provenance.set_seed(options.fit.train.seed);
    provenance.add_input(options.corpus);

    const store::CorpusReader corpus(options.corpus);
    const nn::Images images(corpus);
    nn::FitData data{.images = images,
                     .train = nn::labelled_samples(corpus, store::Part::train),
                     .validation = nn::labelled_samples(corpus, store::Part::validation),
                     .name_row = [&](std::int64_t row) { return name_of(corpus, row); }};
    VALIDATE(!data.train.rows.empty(),
             "the training part of corpus '{}' has no labelled images (there is nothing to learn "
             "from); ingest with --labels, or check --parts",
             options.corpus);
    auto model = starting_model(options, corpus, data, provenance, world);
    check_architecture(table, options, model);
    const auto old_classes = watch_old_classes(options, corpus, data, world);
    relabel(data, corpus, model);
    if (options.class_weights)
        options.fit.train.class_weights = nn::balanced_weights(data.train, model.classes.size());
    const auto settings = settings_text(table, data);
    if (options.fit.train.batch < world.size())
        base::log_warning(fmt::format("a --batch of {} leaves some of {} ranks with no images",
                                      options.fit.train.batch, world.size()));
    make_checkpoint_folder(options.checkpoint, world);
    if (options.find_rate) {
        find_rate(model, data, options, world);
        return comm::exit_status::done;
    }
    const auto result = train(model, data, options, settings, signals, provenance, world);
    if (options.fit.train.keep_best > 1) write_best(options, model, result, provenance, world);
    if (result.validation_accuracy)
        provenance.add_result("validation_accuracy", *result.validation_accuracy);
    if (old_classes) report_old_classes(*old_classes, model, options.init, provenance);
    {
        const auto scope = provenance.phases().measure("train/calibration");
        const auto found = nn::calibrate(model, images, data.validation, options.target_precision,
                                         inference_options(options), world);
        report_calibration(found, model, options.target_precision, provenance);
    }
    nn::write_model(options.output, model, provenance, world);
    print_summary(options, model, data, result);
    return comm::exit_status::done;
}

}  // namespace nanoatlas::jobs
