// nanoatlas extract: what a network sees in each image of a corpus, as a row of numbers.
#include <algorithm>
#include <numeric>
#include <span>

#include "base/check.hpp"
#include "base/log.hpp"
#include "base/progress.hpp"
#include "comm/session.hpp"
#include "jobs/jobs.hpp"
#include "nn/train/inference.hpp"
#include "nn/train/layer_features.hpp"
#include "nn/train/start.hpp"
#include "nn/train/views.hpp"
#include "store/artefact.hpp"
#include "store/provenance.hpp"

namespace nanoatlas::jobs {
namespace {

struct ExtractOptions {
    std::string corpus, model, layer, output, views = "1";
    bool pool = false;
    nn::InferenceOptions inference;
};

base::OptionTable describe(ExtractOptions& options) {
    base::OptionTable table("extract", "what a network sees in each image, as a row of numbers");
    table.add("corpus", options.corpus, "corpus.h5").required();
    table.add("model", options.model,
              "model.h5; default: EfficientNet-lite0 with ImageNet's weights");
    table.add(
        "layer", options.layer,
        "layer to take, default: the pooled one; several by commas: the means over the pixels "
        "of each, of unit length, side by side");
    table.add("pool", options.pool, "the means over the pixels of a single layer, too");
    table.add("views", options.views,
              "features are the mean over views: a number of random ones, or flips, symmetries, "
              "crops, scales, also combined: symmetries+crops");
    table.add("output", options.output, "features.h5 to write").required();
    nn::add_inference_options(table, options.inference);
    return table;
}

/// What int8 was calibrated to, by layer.
void write_ranges(store::ArtefactWriter& writer, const nn::Ranges& ranges) {
    if (ranges.empty()) return;
    std::vector<std::string> layers;
    std::vector<double> limits;
    std::vector<std::uint8_t> is_signed;
    for (const auto& [layer, range] : ranges) {
        layers.push_back(layer);
        limits.push_back(std::max(range.highest(), -range.lowest()));
        is_signed.push_back(range.lowest() < 0 ? 1 : 0);
    }
    const auto count = std::ssize(layers);
    writer.write_whole_strings("ranges/layer", layers);
    writer.write_whole<double>("ranges/limit", limits, {count});
    writer.write_whole<std::uint8_t>("ranges/signed", is_signed, {count});
}

/// Writes the features of all rows, a batch at a time; each rank its block of rows.
void write_features(store::ArtefactWriter& writer, const nn::ModelFile& model,
                    const nn::LayerFeatures& layers, const store::CorpusReader& corpus,
                    const ExtractOptions& options, const comm::Communicator& world) {
    const nn::ViewSet views(options.views, corpus.height(), corpus.width());
    auto network = nn::inference_network(model, options.inference, layers.names(), world);
    const nn::Images images(corpus);
    nn::ImageInputs inputs(images, model.size, model.mean, model.std, std::nullopt, 0);
    std::vector<std::int64_t> all(static_cast<std::size_t>(corpus.rows()));
    std::iota(all.begin(), all.end(), 0);
    write_ranges(writer, nn::quantise_if_asked(network, options.inference, inputs, all, world));
    const auto block = comm::row_block(corpus.rows(), world);

    writer.create<float>("features", {corpus.rows(), layers.columns()});
    base::Progress progress("extract", block.count, "images");
    const auto batch = options.inference.batch;
    const auto rows_from = [&](std::int64_t first) {
        const auto count = std::clamp<std::int64_t>(block.end() - first, 0, batch);
        return std::span<const std::int64_t>(all).subspan(
            static_cast<std::size_t>(std::min(first, block.end())),
            static_cast<std::size_t>(count));
    };
    for (auto first = block.first; first < block.end(); first += batch) {
        const auto rows = rows_from(first);
        const auto count = std::ssize(rows);
        inputs.will_need(rows_from(first + batch));
        writer.write_slab<float>("features", layers.mean_over(views, network, inputs, rows), first,
                                 count);
        progress.advance(count);
    }
}

}  // namespace

int run_extract(const Arguments& arguments, const comm::Communicator& world) {
    ExtractOptions options;
    auto table = describe(options);
    if (table.parse(arguments) == base::Parsed::done) return comm::exit_status::done;
    store::Provenance provenance(table, world);
    provenance.add_input(options.corpus);
    if (!options.model.empty()) provenance.add_input(options.model);

    const store::CorpusReader corpus(options.corpus);
    const auto model =
        options.model.empty() ? nn::default_model(world) : nn::read_model(options.model, world);
    const nn::LayerFeatures layers(nn::graph_of(model), options.layer,
                                   options.pool ? nn::Pooling::on : nn::Pooling::off);
    store::ArtefactWriter writer(options.output, "features", world);
    writer.attribute("arch", model.arch);
    writer.attribute("layer", layers.text());
    writer.attribute("views", options.views);
    {
        const auto scope = provenance.phases().measure("extract/forward");
        write_features(writer, model, layers, corpus, options, world);
        world.barrier();
    }
    writer.publish(provenance);
    base::print(fmt::format("{} rows of {} features ({}, layer {}) -> {}", corpus.rows(),
                            layers.columns(), model.arch, layers.text(), options.output));
    return comm::exit_status::done;
}

}  // namespace nanoatlas::jobs
