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
#include "nn/train/start.hpp"
#include "store/artefact.hpp"
#include "store/provenance.hpp"

namespace nanoatlas::jobs {
namespace {

struct ExtractOptions {
    std::string corpus, model, layer, output;
    nn::InferenceOptions inference;
};

base::OptionTable describe(ExtractOptions& options) {
    base::OptionTable table("extract", "what a network sees in each image, as a row of numbers");
    table.add("corpus", options.corpus, "corpus.h5").required();
    table.add("model", options.model,
              "model.h5; default: EfficientNet-lite0 with ImageNet's weights");
    table.add("layer", options.layer, "layer to take; default: the pooled one");
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

/// Writes the layer's values of all rows, a batch at a time; each rank its block of rows.
void write_features(store::ArtefactWriter& writer, const nn::ModelFile& model, nn::Value layer,
                    const nn::Graph& graph, const store::CorpusReader& corpus,
                    const ExtractOptions& options, const comm::Communicator& world) {
    const auto name = graph.node(layer).name;
    const auto columns = graph.shape(layer).elements();
    auto network = nn::inference_network(model, options.inference, {name}, world);
    const nn::Images images(corpus);
    const nn::ImageInputs inputs(images, model.size, model.mean, model.std, std::nullopt, 0);
    std::vector<std::int64_t> all(static_cast<std::size_t>(corpus.rows()));
    std::iota(all.begin(), all.end(), 0);
    write_ranges(writer, nn::quantise_if_asked(network, options.inference, inputs, all, world));
    const auto block = comm::row_block(corpus.rows(), world);
    const auto rows = std::span<const std::int64_t>(all).subspan(
        static_cast<std::size_t>(block.first), static_cast<std::size_t>(block.count));

    writer.create<float>("features", {corpus.rows(), columns});
    base::Progress progress("extract", block.count, "images");
    nn::forward_rows(network, options.inference.batch, inputs, rows,
                     [&](std::int64_t first, std::span<const float>) {
                         const auto values = network.value(name);
                         const auto count = static_cast<std::int64_t>(values.size()) / columns;
                         writer.write_slab<float>("features", values, block.first + first, count);
                         progress.advance(count);
                     });
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
    const auto graph = nn::graph_of(model);
    const auto layer = options.layer.empty() ? graph.features() : graph.find(options.layer);
    store::ArtefactWriter writer(options.output, "features", world);
    writer.attribute("arch", model.arch);
    writer.attribute("layer", graph.node(layer).name);
    {
        const auto scope = provenance.phases().measure("extract/forward");
        write_features(writer, model, layer, graph, corpus, options, world);
        world.barrier();
    }
    writer.publish(provenance);
    base::print(fmt::format("{} rows of {} features ({}, layer {}) -> {}", corpus.rows(),
                            graph.shape(layer).elements(), model.arch, graph.node(layer).name,
                            options.output));
    return comm::exit_status::done;
}

}  // namespace nanoatlas::jobs
