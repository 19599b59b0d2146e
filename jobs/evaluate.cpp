// nanoatlas evaluate: how well a model knows the labelled images of a corpus.
#include <algorithm>

#include "base/check.hpp"
#include "base/log.hpp"
#include "comm/session.hpp"
#include "jobs/jobs.hpp"
#include "nn/train/inference.hpp"
#include "nn/train/report.hpp"
#include "nn/train/start.hpp"
#include "store/output.hpp"
#include "store/plain_file.hpp"
#include "store/provenance.hpp"

namespace nanoatlas::jobs {
namespace {

struct EvaluateOptions {
    std::string corpus, model, part = "test", output, unknown = "refuse";
    double target_precision = 0.95;
    nn::InferenceOptions inference;
};

base::OptionTable describe(EvaluateOptions& options) {
    base::OptionTable table("evaluate", "how well a model knows the labelled images of a corpus");
    table.add("corpus", options.corpus, "corpus.h5 with labels").required();
    table.add("model", options.model, "model.h5").required();
    table.add("output", options.output, "metrics.json to write").required();
    table.add("part", options.part, "images to ask about")
        .choices({"test", "validation", "train", "all"});
    table
        .add("unknown-classes", options.unknown,
             "images of classes that the model does not know: refuse the corpus, or leave them out "
             "of the scores and count how many are told to be none of these")
        .choices({"refuse", "count"});
    table.add("target-precision", options.target_precision,
              "look for the threshold that gives answers this precision on these images");
    nn::add_inference_options(table, options.inference);
    return table;
}

nn::Samples samples_of(const store::CorpusReader& corpus, const std::string& part) {
    nn::Samples all;
    for (const auto one : {store::Part::train, store::Part::validation, store::Part::test}) {
        if (part != "all" && part != store::name_of(one)) continue;
        const auto samples = nn::labelled_samples(corpus, one);
        all.rows.insert(all.rows.end(), samples.rows.begin(), samples.rows.end());
        all.labels.insert(all.labels.end(), samples.labels.begin(), samples.labels.end());
    }
    VALIDATE(!all.rows.empty(),
             "corpus '{}' has no labelled images in part '{}' (there is nothing to compare with); "
             "choose another --part",
             corpus.path(), part);
    return all;
}

/// The samples by the model's classes.
nn::Relabelled known_samples(const store::CorpusReader& corpus, const nn::ModelFile& model,
                             const EvaluateOptions& options) {
    auto samples = nn::relabelled(samples_of(corpus, options.part), corpus.classes(),
                                  nn::Taxonomy(model.classes));
    VALIDATE(samples.strange.empty() || options.unknown == "count",
             "the model does not know the class{} {} of the corpus (it was trained for other "
             "classes); train it on this corpus, or with --init for its classes, or leave their "
             "images out with --unknown-classes count",
             samples.strange.size() > 1 ? "es" : "", nn::list_names(samples.strange));
    VALIDATE(!samples.known.rows.empty(),
             "the model knows none of the {} classes that the images of part '{}' have (there is "
             "nothing to compare with); choose another model, --corpus or --part",
             samples.strange.size(), options.part);
    return samples;
}

/// How many images of classes that the model does not know it says nothing of.
void count_unknown(nn::Network& network, const nn::Inputs& inputs, const nn::ModelFile& model,
                   const nn::Samples& unknown, std::int64_t batch, nn::ModelScores& scores,
                   const comm::Communicator& world) {
    const auto logits = nn::sample_logits(network, batch, inputs, unknown, world);
    const auto answers = nn::answers_of(model, logits, world);
    scores.unknown_images = std::ssize(answers);
    scores.unknown_rejected = std::count(answers.begin(), answers.end(), -1);
}

void print_classes(const nn::ModelScores& scores) {
    base::print(fmt::format("{:<34} {:>9} {:>9} {:>9} {:>9}", "class", "precision", "recall", "F1",
                            "images"));
    for (std::size_t c = 0; c < scores.classes.size(); ++c) {
        const auto& of_class = scores.metrics.by_class[c];
        base::print(fmt::format("{:<34} {:>9.4f} {:>9.4f} {:>9.4f} {:>9}", scores.classes[c],
                                of_class.precision, of_class.recall, of_class.f1,
                                of_class.support));
    }
    for (std::size_t i = 0; i < scores.levels.size(); ++i) {
        const auto& level = scores.levels[i];
        base::print(fmt::format("level {}: {} classes, accuracy {:.4f}, macro-F1 {:.4f}, {} images",
                                i + 1, level.classes.size(), level.metrics.accuracy,
                                level.metrics.macro_f1, level.metrics.rows));
    }
}

/// What the probabilities are worth.
void print_confidence(const nn::ModelScores& scores, double target) {
    base::print(
        fmt::format("temperature {:.4f}: loss {:.4f} (without {:.4f}), calibration error "
                    "{:.4f} (without {:.4f})",
                    scores.temperature, scores.metrics.loss, scores.uncalibrated.loss,
                    scores.metrics.calibration_error, scores.uncalibrated.calibration_error));
    if (scores.threshold)
        base::print(fmt::format(
            "threshold {:.4f} (for precision {}): {} answers, {:.2f} % right, {} none of these",
            scores.threshold->value, scores.threshold->target, scores.at_class.images,
            100 * static_cast<double>(scores.at_class.right) /
                static_cast<double>(std::max<std::int64_t>(scores.at_class.images, 1)),
            scores.none.images));
    if (scores.above_class.images > 0)
        base::print(fmt::format("{} answers above the classes, {} right", scores.above_class.images,
                                scores.above_class.right));
    if (scores.unknown_images > 0)
        base::print(fmt::format("of {} images of unknown classes, {} none of these",
                                scores.unknown_images, scores.unknown_rejected));
    if (scores.chosen)
        base::print(
            fmt::format("for precision {} on images like these: --threshold {:.6f}, "
                        "coverage {:.2f} %",
                        target, scores.chosen->value, 100 * scores.chosen->coverage));
}

void print_summary(const nn::ModelScores& scores, const EvaluateOptions& options) {
    const auto& metrics = scores.metrics;
    print_classes(scores);
    print_confidence(scores, options.target_precision);
    base::print(
        fmt::format("{} images ({}): accuracy {:.4f}, top-3 {:.4f}, macro-F1 {:.4f}, "
                    "calibration error {:.4f} -> {}",
                    metrics.rows, options.part, metrics.accuracy, metrics.top3, metrics.macro_f1,
                    metrics.calibration_error, options.output));
}

}  // namespace

int run_evaluate(const Arguments& arguments, const comm::Communicator& world) {
    EvaluateOptions options;
    auto table = describe(options);
    if (table.parse(arguments) == base::Parsed::done) return comm::exit_status::done;
    store::check_output(options.output, world);
    nn::check_target_precision(options.target_precision);
    store::Provenance provenance(table, world);
    provenance.add_input(options.corpus);
    provenance.add_input(options.model);

    const store::CorpusReader corpus(options.corpus);
    const auto model = nn::read_model(options.model, world);
    const auto samples = known_samples(corpus, model, options);
    const nn::Images images(corpus);
    const nn::ImageInputs inputs(images, model.size, model.mean, model.std, std::nullopt, 0);
    auto network = nn::inference_network(model, options.inference, {}, world);
    nn::quantise_if_asked(network, options.inference, inputs, samples.known.rows, world);
    const auto batch = options.inference.batch;
    nn::ModelScores scores;
    {
        const auto scope = provenance.phases().measure("evaluate/forward");
        scores =
            nn::score_model(model, nn::sample_logits(network, batch, inputs, samples.known, world),
                            samples.known, world);
        count_unknown(network, inputs, model, samples.unknown, batch, scores, world);
    }
    if (options.target_precision > 0)
        scores.chosen = nn::choose_threshold(scores.coverage, options.target_precision);
    store::publish_text(options.output, nn::metrics_json(scores, provenance.json()) + "\n", world);
    print_summary(scores, options);
    return comm::exit_status::done;
}

}  // namespace nanoatlas::jobs
