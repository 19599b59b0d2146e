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

struct TrainOptions {
    std::string corpus, output, arch = "resnet18", init = "auto", checkpoint;
    std::string optimizer = "adamw", schedule = "cosine", precision = "f32", backend = "onednn";
    std::string augment = "auto", keep = "best", old_classes = "auto";
    int size = 0;
    double rate = 0, target_precision = 0.95;
    bool sync_bn = true, class_weights = false, resume = false;
    nn::FitOptions fit;
};

base::OptionTable describe(TrainOptions& options) {
    auto& train = options.fit.train;
    base::OptionTable table("train", "a network learns the labelled images of a corpus");
    table.add("corpus", options.corpus, "corpus.h5 to learn from").required();
    table.add("output", options.output, "model.h5 to write").required();
    table.add("arch", options.arch, "network").choices(nn::zoo::names());
    table.add("init", options.init,
              "model.h5 to begin with; auto: ImageNet's weights for efficientnet_lite0, else none");
    table
        .add("old-classes", options.old_classes,
             "classes of --init that the corpus lacks; auto: kept if the corpus has any of its "
             "others")
        .choices({"auto", "keep", "drop"});
    table.add("freeze", options.fit.freeze, "layers to leave alone: none, backbone or to:LAYER");
    table.add("size", options.size,
              "side of the network's input [pixels]; 0: the model's, else "
              "the corpus's up to the published one");
    table.add("epochs", train.epochs, "passes over the training part");
    table.add("batch", train.batch, "images of a step, over all ranks");
    table.add("optimizer", options.optimizer, "how weights are updated").choices({"sgd", "adamw"});
    table.add("lr", options.rate,
              "highest learning rate; 0: 0.001 for adamw, batch/256 * 0.1 for "
              "sgd");
    table.add("schedule", options.schedule, "learning rate over the steps")
        .choices({"cosine", "onecycle", "constant"});
    table.add("warmup", train.warmup, "share of the steps in which the rate rises");
    table.add("weight-decay", train.weight_decay, "of weights; never of biases and norms");
    table.add("label-smoothing", train.label_smoothing, "share of each target spread evenly");
    table.add("class-weights", options.class_weights, "rare classes count more");
    table
        .add("augment", options.augment,
             "vary the training images; auto: unless the backbone is frozen; upright: without "
             "flips and rotations")
        .choices({"auto", "on", "upright", "off"});
    table.add("keep", options.keep, "epoch whose weights are written, by validation accuracy")
        .choices({"best", "last"});
    table.add("target-precision", options.target_precision,
              "of answers; what is less sure than the threshold chosen for it on the validation "
              "part is none of these; 0: no threshold");
    table.add("sync-bn", options.sync_bn, "batch norm over the images of all ranks");
    table.add("precision", options.precision, "of activations").choices({"f32", "bf16"});
    table.add("backend", options.backend, "who computes").choices({"onednn", "cudnn", "reference"});
    table.add("seed", train.seed, "of all random numbers");
    table
        .add("checkpoint", options.checkpoint,
             "folder for checkpoint.h5 and metrics.jsonl; default: beside the output")
        .volatile_option();
    table.add("resume", options.resume, "go on from the checkpoint, if there is one")
        .volatile_option();
    return table;
}

/// Turns the words of the options into what training takes.
void complete(TrainOptions& options) {
    auto& train = options.fit.train;
    train.optimizer.kind = nn::parse_optimizer(options.optimizer);
    train.schedule = nn::parse_schedule(options.schedule);
    const bool adamw = train.optimizer.kind == nn::OptimizerKind::adamw;
    train.rate = options.rate > 0 ? options.rate
                 : adamw          ? 1e-3
                                  : 0.1 * static_cast<double>(train.batch) / 256;
    train.choice = options.keep == "best" ? nn::Choice::best : nn::Choice::last;
    options.fit.precision = nn::precision_of(options.precision);
    options.fit.backend = nn::backend_kind(options.backend);
    options.fit.sync_batch_norm = options.sync_bn;
    const bool frozen = options.fit.freeze == "backbone";
    if (options.augment == "off" || (options.augment == "auto" && frozen))
        options.fit.augmentation.reset();
    else
        options.fit.augmentation->orientations = options.augment != "upright";
    if (options.checkpoint.empty())
        options.checkpoint = fs::path(options.output).replace_extension("checkpoint").string();
    VALIDATE(train.label_smoothing >= 0 && train.label_smoothing < 1,
             "--label-smoothing {} is not in [0, 1)", train.label_smoothing);
    VALIDATE(train.warmup >= 0 && train.warmup < 1, "--warmup {} is not in [0, 1)", train.warmup);
    VALIDATE(options.size >= 0 && options.rate >= 0 && train.weight_decay >= 0,
             "--size, --lr and --weight-decay cannot be negative");
    nn::check_target_precision(options.target_precision);
}

bool begins_with_a_file(const TrainOptions& options) {
    return options.init != "auto" && options.init != "none";
}

nn::InferenceOptions inference_options(const TrainOptions& options) {
    return {.batch = 32, .precision = options.precision, .backend = options.backend};
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
                             const comm::StopSignals& signals, store::Provenance& provenance,
                             const comm::Communicator& world) {
    nn::TrainingHooks hooks;
    hooks.stop = [&] { return signals.requested(world); };
    hooks.save = [&](const nn::TrainingState& state) {
        const auto scope = provenance.phases().measure("train/checkpoint");
        nn::write_checkpoint(options.checkpoint, state, settings, provenance, world);
        std::string lines;
        for (const auto& line : state.history) lines += line + "\n";
        store::publish_text((fs::path(options.checkpoint) / "metrics.jsonl").string(), lines,
                            world);
    };
    hooks.epoch_done = [epochs = options.fit.train.epochs](const std::string& line) {
        report_epoch(line, epochs);
    };
    return hooks;
}

std::optional<nn::TrainingState> earlier_state(const TrainOptions& options,
                                               const nn::TrainingSettingsText& settings,
                                               const comm::Communicator& world) {
    world.on_root([&] {
        std::error_code error;
        fs::create_directories(options.checkpoint, error);
        VALIDATE(!error, "cannot make the folder '{}' ({}); name another with --checkpoint",
                 options.checkpoint, error.message());
    });
    if (!options.resume) return std::nullopt;
    auto state = nn::read_checkpoint(options.checkpoint, settings, world);
    base::log_info(
        state ? fmt::format("going on from epoch {}, step {}", state->epoch + 1, state->step + 1)
              : fmt::format("no checkpoint in '{}' yet", options.checkpoint));
    return state;
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
                     .validation = nn::labelled_samples(corpus, store::Part::validation)};
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
    const auto hooks = make_hooks(options, settings, signals, provenance, world);
    nn::TrainingResult result;
    {
        const auto scope = provenance.phases().measure("train/epochs");
        result = nn::fit(model, data, options.fit, earlier_state(options, settings, world), hooks,
                         world);
    }
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
