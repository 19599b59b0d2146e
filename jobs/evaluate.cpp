// nanoatlas evaluate: how well a model knows the labelled images of a corpus.
#include <algorithm>

#include "base/check.hpp"
#include "base/log.hpp"
#include "comm/session.hpp"
#include "jobs/jobs.hpp"
#include "nn/train/inference.hpp"
#include "nn/train/start.hpp"
#include "store/output.hpp"
#include "store/plain_file.hpp"
#include "store/provenance.hpp"

namespace nanoatlas::jobs {
namespace {

struct EvaluateOptions {
    std::string corpus, model, part = "test", output;
    nn::InferenceOptions inference;
};

base::OptionTable describe(EvaluateOptions& options) {
    base::OptionTable table("evaluate", "how well a model knows the labelled images of a corpus");
    table.add("corpus", options.corpus, "corpus.h5 with labels").required();
    table.add("model", options.model, "model.h5").required();
    table.add("output", options.output, "metrics.json to write").required();
    table.add("part", options.part, "images to ask about")
        .choices({"test", "validation", "train", "all"});
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

/// From the corpus's numbers of the classes to the model's, by name.
void relabel(nn::Samples& samples, const std::vector<std::string>& corpus,
             const std::vector<std::string>& model) {
    for (auto& label : samples.labels) {
        const auto& name = corpus[static_cast<std::size_t>(label)];
        const auto known = std::find(model.begin(), model.end(), name);
        VALIDATE(known != model.end(),
                 "the model does not know the class '{}' of the corpus (it was trained for other "
                 "classes); train it on this corpus, or with --init for its classes",
                 name);
        label = static_cast<std::int32_t>(known - model.begin());
    }
}

void print_summary(const nn::Metrics& metrics, const EvaluateOptions& options,
                   const std::vector<std::string>& classes) {
    base::print(fmt::format("{:<34} {:>9} {:>9} {:>9} {:>9}", "class", "precision", "recall", "F1",
                            "images"));
    for (std::size_t c = 0; c < classes.size(); ++c) {
        const auto& scores = metrics.by_class[c];
        base::print(fmt::format("{:<34} {:>9.4f} {:>9.4f} {:>9.4f} {:>9}", classes[c],
                                scores.precision, scores.recall, scores.f1, scores.support));
    }
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
    store::Provenance provenance(table, world);
    provenance.add_input(options.corpus);
    provenance.add_input(options.model);

    const store::CorpusReader corpus(options.corpus);
    const auto model = nn::read_model(options.model, world);
    auto samples = samples_of(corpus, options.part);
    relabel(samples, corpus.classes(), model.classes);
    const nn::Images images(corpus);
    const nn::ImageInputs inputs(images, model.size, model.mean, model.std, std::nullopt, 0);
    auto network = nn::inference_network(model, options.inference, {}, world);
    nn::quantise_if_asked(network, options.inference, inputs, samples.rows, world);
    std::vector<nn::Judgement> judgements;
    {
        const auto scope = provenance.phases().measure("evaluate/forward");
        judgements = nn::judge_samples(network, options.inference.batch, inputs, samples, world);
    }
    const auto metrics = nn::compute_metrics(judgements, static_cast<int>(model.classes.size()));
    store::publish_text(options.output,
                        nn::metrics_json(metrics, model.classes, provenance.json()) + "\n", world);
    print_summary(metrics, options, model.classes);
    return comm::exit_status::done;
}

}  // namespace nanoatlas::jobs
