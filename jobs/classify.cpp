// nanoatlas classify: which class a model sees in each of a user's images.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/check.hpp"
#include "base/log.hpp"
#include "base/progress.hpp"
#include "comm/session.hpp"
#include "image/list.hpp"
#include "image/prepare.hpp"
#include "jobs/jobs.hpp"
#include "nn/train/inference.hpp"
#include "nn/train/start.hpp"
#include "store/agree.hpp"
#include "store/artefact.hpp"
#include "store/plain_file.hpp"
#include "store/provenance.hpp"

namespace nanoatlas::jobs {
namespace {

struct ClassifyOptions {
    std::vector<std::string> images;
    std::string model, output, fit = "crop", bar = "auto";
    std::int64_t top = 3;
    nn::InferenceOptions inference;
};

base::OptionTable describe(ClassifyOptions& options) {
    base::OptionTable table("classify", "which class a model sees in each image");
    table.add("images", options.images, "folders, lists or images").required();
    table.add("model", options.model, "model.h5").required();
    table.add("output", options.output, "predictions.h5, .csv or .json to write").required();
    table.add("top", options.top, "classes listed for each image in .csv and .json");
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

Pictures read_pictures(const std::vector<image::Source>& sources, const image::PrepareOptions& how,
                       const comm::RowBlock& block) {
    const auto count = static_cast<std::size_t>(block.count);
    std::vector<image::Picture> pictures(count);
    std::vector<std::string> causes(count);
    base::Progress progress("classify/decode", block.count, "images");
#pragma omp parallel for schedule(dynamic)
    for (std::size_t i = 0; i < count; ++i) {
        try {
            pictures[i] = image::prepare(sources[static_cast<std::size_t>(block.first) + i], how);
        } catch (const std::exception& cause) {
            causes[i] = cause.what();
        }
        progress.advance();
    }
    Pictures read;
    for (std::size_t i = 0; i < count; ++i) {
        const auto& path = sources[static_cast<std::size_t>(block.first) + i].path;
        if (!causes[i].empty()) {
            read.reject_paths.push_back(path);
            read.reject_causes.push_back(causes[i]);
            continue;
        }
        read.paths.push_back(path);
        read.pixels.insert(read.pixels.end(), pictures[i].pixels.begin(), pictures[i].pixels.end());
    }
    return read;
}

/// Probabilities [n, classes] of this rank's pictures.
std::vector<float> predict(const nn::ModelFile& model, const Pictures& pictures,
                           const ClassifyOptions& options, const comm::Communicator& world) {
    auto network = nn::inference_network(model, options.inference, {}, world);
    const nn::Images images(pictures.pixels, model.size, model.size);
    const nn::ImageInputs inputs(images, model.size, model.mean, model.std, std::nullopt, 0);
    std::vector<std::int64_t> rows(pictures.paths.size());
    std::iota(rows.begin(), rows.end(), 0);
    std::vector<float> probabilities;
    nn::forward_rows(network, options.inference.batch, inputs, rows,
                     [&](std::int64_t, std::span<const float> logits) {
                         probabilities.insert(probabilities.end(), logits.begin(), logits.end());
                     });
    nn::softmax(probabilities, model.classes.size());
    return probabilities;
}

/// What all ranks found, in the order of the sources.
struct Predictions {
    std::vector<std::string> paths;
    std::vector<float> probabilities;  // [n, classes]
    std::vector<std::string> classes;
    std::vector<std::string> reject_paths, reject_causes;

    /// Classes of a row by falling probability, the best `count`.
    std::vector<std::size_t> best(std::size_t row, std::int64_t count) const {
        std::vector<std::size_t> order(classes.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
            return probability(row, a) > probability(row, b);
        });
        order.resize(std::min(order.size(), static_cast<std::size_t>(count)));
        return order;
    }
    float probability(std::size_t row, std::size_t which) const {
        return probabilities[row * classes.size() + which];
    }
};

std::string csv_field(const std::string& text) {
    if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
    std::string quoted = "\"";
    for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    return quoted + "\"";
}

std::string as_csv(const Predictions& predictions, std::int64_t top) {
    std::string text = "path";
    const auto columns = std::min<std::int64_t>(top, std::ssize(predictions.classes));
    for (std::int64_t i = 1; i <= columns; ++i) text += fmt::format(",class{0},probability{0}", i);
    text += "\n";
    for (std::size_t row = 0; row < predictions.paths.size(); ++row) {
        text += csv_field(predictions.paths[row]);
        for (const auto which : predictions.best(row, top))
            text += fmt::format(",{},{:.6f}", csv_field(predictions.classes[which]),
                                predictions.probability(row, which));
        text += "\n";
    }
    return text;
}

std::string as_json(const Predictions& predictions, std::int64_t top,
                    const store::Provenance& provenance) {
    auto images = nlohmann::ordered_json::array();
    for (std::size_t row = 0; row < predictions.paths.size(); ++row) {
        auto classes = nlohmann::ordered_json::array();
        for (const auto which : predictions.best(row, top))
            classes.push_back({{"class", predictions.classes[which]},
                               {"probability", predictions.probability(row, which)}});
        images.push_back({{"path", predictions.paths[row]}, {"top", std::move(classes)}});
    }
    auto rejects = nlohmann::ordered_json::array();
    for (std::size_t i = 0; i < predictions.reject_paths.size(); ++i)
        rejects.push_back(
            {{"path", predictions.reject_paths[i]}, {"cause", predictions.reject_causes[i]}});
    return nlohmann::ordered_json{{"images", std::move(images)},
                                  {"rejects", std::move(rejects)},
                                  {"provenance", nlohmann::json::parse(provenance.json())}}
               .dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) +
           "\n";
}

void write_artefact(const std::string& path, const Predictions& predictions,
                    const store::Provenance& provenance, const comm::Communicator& world) {
    const auto rows = static_cast<std::int64_t>(predictions.paths.size());
    std::vector<std::int32_t> labels;
    for (std::size_t row = 0; row < predictions.paths.size(); ++row)
        labels.push_back(static_cast<std::int32_t>(predictions.best(row, 1)[0]));
    store::ArtefactWriter writer(path, "predictions", world);
    writer.write_whole<float>("probability", predictions.probabilities,
                              {rows, std::ssize(predictions.classes)});
    writer.write_whole<std::int32_t>("label", labels, {rows});
    writer.write_whole_strings("path", predictions.paths);
    writer.write_whole_strings("classes", predictions.classes);
    writer.write_whole_strings("rejects/path", predictions.reject_paths);
    writer.write_whole_strings("rejects/cause", predictions.reject_causes);
    writer.publish(provenance);
}

void write(const Predictions& predictions, const ClassifyOptions& options,
           const store::Provenance& provenance, const comm::Communicator& world) {
    if (options.output.ends_with(".csv"))
        store::publish_text(options.output, as_csv(predictions, options.top), world);
    else if (options.output.ends_with(".json"))
        store::publish_text(options.output, as_json(predictions, options.top, provenance), world);
    else
        write_artefact(options.output, predictions, provenance, world);
}

}  // namespace

int run_classify(const Arguments& arguments, const comm::Communicator& world) {
    ClassifyOptions options;
    auto table = describe(options);
    if (table.parse(arguments) == base::Parsed::done) return comm::exit_status::done;
    VALIDATE(options.top > 0, "--top {} must be at least 1", options.top);
    store::Provenance provenance(table, world);
    provenance.add_input(options.model);
    const auto model = nn::read_model(options.model, world);
    image::PrepareOptions how{.size = model.size, .fit = image::parse_fit(options.fit)};
    image::parse_bar(options.bar, how);

    // Every rank lists by itself: a listing is sorted, so all have the same.
    image::Listing listing;
    store::agree_on_input(world, [&] { listing = image::list_sources(options.images); });
    const auto block = comm::row_block(std::ssize(listing.sources), world);
    const auto mine = read_pictures(listing.sources, how, block);
    Predictions predictions{.paths = world.all_gather(mine.paths),
                            .probabilities = {},
                            .classes = model.classes,
                            .reject_paths = world.all_gather(mine.reject_paths),
                            .reject_causes = world.all_gather(mine.reject_causes)};
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
    {
        const auto scope = provenance.phases().measure("classify/forward");
        predictions.probabilities = world.all_gather(predict(model, mine, options, world));
    }
    write(predictions, options, provenance, world);
    for (std::size_t i = 0; i < predictions.reject_paths.size(); ++i)
        base::log_warning(fmt::format("not classified: {} ({})", predictions.reject_paths[i],
                                      predictions.reject_causes[i]));
    base::print(fmt::format("{} images classified, {} could not be read -> {}",
                            predictions.paths.size(), predictions.reject_paths.size(),
                            options.output));
    return comm::exit_status::done;
}

}  // namespace nanoatlas::jobs
