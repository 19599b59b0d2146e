// nanoatlas classify: which class a model sees in each of a user's images.
#include <algorithm>
#include <numeric>

#include "base/check.hpp"
#include "base/log.hpp"
#include "base/number.hpp"
#include "base/progress.hpp"
#include "comm/session.hpp"
#include "image/list.hpp"
#include "image/prepare.hpp"
#include "ingest/sources.hpp"
#include "jobs/jobs.hpp"
#include "jobs/predictions.hpp"
#include "nn/train/inference.hpp"
#include "nn/train/start.hpp"
#include "store/output.hpp"
#include "store/provenance.hpp"

namespace nanoatlas::jobs {
namespace {

struct ClassifyOptions {
    std::vector<std::string> images;
    std::string model, output, fit = "crop", bar = "auto", threshold = "auto";
    std::int64_t top = 3;
    nn::InferenceOptions inference;
};

base::OptionTable describe(ClassifyOptions& options) {
    base::OptionTable table("classify", "which class a model sees in each image");
    table.add("images", options.images, "folders, lists or images").required();
    table.add("model", options.model, "model.h5").required();
    table.add("output", options.output, "predictions.h5, .csv or .json to write").required();
    table.add("top", options.top, "classes listed for each image in .csv and .json");
    table.add("threshold", options.threshold,
              "probability below which an answer is 'none of these'; auto: the model's, if it has "
              "one; off");
    table.add("fit", options.fit, "how a picture becomes square, as for ingest")
        .choices({"crop", "squash", "pad"});
    table.add("bar", options.bar, "info bar: auto, keep or rows=N, as for ingest");
    nn::add_inference_options(table, options.inference);
    return table;
}

/// This rank's pictures that could be read, and all that could not.
struct Pictures {
    std::vector<std::string> paths;
    std::vector<std::uint8_t> pixels;
    std::vector<std::string> reject_paths, reject_causes;
};

Pictures read_pictures(std::span<const image::Source> sources, const image::PrepareOptions& how,
                       base::Progress& progress) {
    std::vector<image::Picture> pictures(sources.size());
    std::vector<std::string> causes(sources.size());
#pragma omp parallel for schedule(dynamic)
    for (std::size_t i = 0; i < sources.size(); ++i) {
        try {
            pictures[i] = image::prepare(sources[i], how);
        } catch (const std::exception& cause) {
            causes[i] = cause.what();
        }
        progress.advance();
    }
    Pictures read;
    for (std::size_t i = 0; i < sources.size(); ++i) {
        if (!causes[i].empty()) {
            read.reject_paths.push_back(sources[i].path);
            read.reject_causes.push_back(causes[i]);
            continue;
        }
        read.paths.push_back(sources[i].path);
        read.pixels.insert(read.pixels.end(), pictures[i].pixels.begin(), pictures[i].pixels.end());
    }
    return read;
}

/// Probabilities [n, classes] of this rank's pictures.
std::vector<float> predict(nn::Network& network, const nn::ModelFile& model,
                           const Pictures& pictures, std::int64_t batch) {
    const nn::Images images(pictures.pixels, model.size, model.size);
    const nn::ImageInputs inputs(images, model.size, model.mean, model.std, std::nullopt, 0);
    std::vector<std::int64_t> rows(pictures.paths.size());
    std::iota(rows.begin(), rows.end(), 0);
    std::vector<float> probabilities;
    nn::forward_rows(network, batch, inputs, rows,
                     [&](std::int64_t, std::span<const float> logits) {
                         probabilities.insert(probabilities.end(), logits.begin(), logits.end());
                     });
    nn::softmax(probabilities, model.classes.size(), model.temperature);
    return probabilities;
}

/// A user's images, read when they are asked for; those that cannot be read are left out.
class SourceInputs final : public nn::Inputs {
  public:
    SourceInputs(const std::vector<image::Source>& sources, const image::PrepareOptions& how,
                 const nn::ModelFile& model)
        : sources_(sources), how_(how), model_(model) {}

    std::int64_t elements() const override {
        return std::int64_t{model_.channels()} * model_.size * model_.size;
    }
    std::vector<float> plain(std::span<const std::int64_t> rows) const override {
        std::vector<std::uint8_t> pixels;
        for (const auto row : rows) {
            try {
                const auto read = image::prepare(sources_[static_cast<std::size_t>(row)], how_);
                pixels.insert(pixels.end(), read.pixels.begin(), read.pixels.end());
            } catch (const std::exception&) {
                continue;  // it is listed when its turn comes
            }
        }
        const nn::Images images(std::move(pixels), model_.size, model_.size);
        std::vector<std::int64_t> all(static_cast<std::size_t>(images.count()));
        std::iota(all.begin(), all.end(), 0);
        return nn::ImageInputs(images, model_.size, model_.mean, model_.std, std::nullopt, 0)
            .plain(all);
    }
    std::vector<float> varied(std::span<const nn::Variation> variations) const override {
        std::vector<std::int64_t> rows;
        for (const auto& variation : variations) rows.push_back(variation.row);
        return plain(rows);
    }

  private:
    const std::vector<image::Source>& sources_;
    const image::PrepareOptions& how_;
    const nn::ModelFile& model_;
};

/// 0 where everything gets an answer.
double threshold_of(const ClassifyOptions& options, const nn::ModelFile& model) {
    if (options.threshold == "off") return 0;
    if (options.threshold == "auto") return model.threshold ? model.threshold->value : 0;
    const auto value = base::parse_number<double>(options.threshold);
    VALIDATE(value && *value >= 0 && *value <= 1,
             "--threshold '{}' is none of auto, off and a probability; give one of these",
             options.threshold);
    return *value;
}

template <class T>
void append(std::vector<T>& all, const std::vector<T>& more) {
    all.insert(all.end(), more.begin(), more.end());
}

/// Pictures pass in pieces, so that any number of them fits into memory. Collective.
Predictions classify(const nn::ModelFile& model, const std::vector<image::Source>& sources,
                     const ClassifyOptions& options, const comm::Communicator& world) {
    image::PrepareOptions how{.size = model.size, .fit = image::parse_fit(options.fit)};
    image::parse_bar(options.bar, how);
    auto network = nn::inference_network(model, options.inference, {}, world);
    std::vector<std::int64_t> all(sources.size());
    std::iota(all.begin(), all.end(), 0);
    nn::quantise_if_asked(network, options.inference, SourceInputs(sources, how, model), all,
                          world);
    base::Progress progress("classify", comm::row_block(std::ssize(sources), world).count,
                            "images");
    Predictions predictions;
    predictions.classes = model.classes;
    predictions.threshold = threshold_of(options, model);
    const std::int64_t piece = 512 * world.size();
    for (std::int64_t first = 0; first < std::ssize(sources); first += piece) {
        const auto block = comm::row_block(std::min(piece, std::ssize(sources) - first), world);
        const auto mine =
            read_pictures(std::span(sources).subspan(static_cast<std::size_t>(first + block.first),
                                                     static_cast<std::size_t>(block.count)),
                          how, progress);
        append(predictions.probabilities,
               world.all_gather(predict(network, model, mine, options.inference.batch)));
        append(predictions.paths, world.all_gather(mine.paths));
        append(predictions.reject_paths, world.all_gather(mine.reject_paths));
        append(predictions.reject_causes, world.all_gather(mine.reject_causes));
    }
    return predictions;
}

void print_summary(const Predictions& predictions, const std::string& output) {
    const auto answers = predictions.answers();
    const auto none = std::count(answers.begin(), answers.end(), -1);
    base::print(fmt::format(
        "{} images classified{}, {} could not be read -> {}", predictions.paths.size(),
        predictions.threshold > 0 ? fmt::format(" ({} of them none of these, threshold {:.4f})",
                                                none, predictions.threshold)
                                  : "",
        predictions.reject_paths.size(), output));
}

}  // namespace

int run_classify(const Arguments& arguments, const comm::Communicator& world) {
    ClassifyOptions options;
    auto table = describe(options);
    if (table.parse(arguments) == base::Parsed::done) return comm::exit_status::done;
    store::check_output(options.output, world);
    VALIDATE(options.top > 0, "--top {} must be at least 1", options.top);
    store::Provenance provenance(table, world);
    provenance.add_input(options.model);
    const auto model = nn::read_model(options.model, world);
    const auto listing = ingest::list_sources(options.images, world);
    Predictions predictions;
    {
        const auto scope = provenance.phases().measure("classify");
        predictions = classify(model, listing.sources, options, world);
    }
    for (const auto& rejected : listing.rejected) {
        predictions.reject_paths.push_back(rejected.path);
        predictions.reject_causes.push_back(rejected.cause);
    }
    VALIDATE(!predictions.paths.empty(), "none of the {} files in --images could be read{}",
             listing.sources.size(),
             predictions.reject_causes.empty()
                 ? " (no images by their names); name a folder or files with images"
                 : fmt::format(" ('{}': {}); give images", predictions.reject_paths[0],
                               predictions.reject_causes[0]));
    write_predictions(options.output, predictions, options.top, provenance, world);
    for (std::size_t i = 0; i < predictions.reject_paths.size(); ++i)
        base::log_warning(fmt::format("not classified: {} ({})", predictions.reject_paths[i],
                                      predictions.reject_causes[i]));
    print_summary(predictions, options.output);
    return comm::exit_status::done;
}

}  // namespace nanoatlas::jobs
