// nanoatlas adapt: a network learns what the images of a corpus have in common, without labels.
#include "nn/train/adapt.hpp"

#include "base/log.hpp"
#include "base/options.hpp"
#include "comm/session.hpp"
#include "jobs/jobs.hpp"
#include "store/corpus.hpp"
#include "store/output.hpp"
#include "store/provenance.hpp"

namespace nanoatlas::jobs {
namespace {

struct Options {
    std::string corpus, init, output, precision = "f32", backend = "onednn";
    nn::AdaptSettings settings;
};

base::OptionTable describe(Options& options) {
    auto& settings = options.settings;
    base::OptionTable table("adapt", "a network learns to see a corpus, without labels");
    table.add("corpus", options.corpus, "corpus.h5; its labels are not looked at").required();
    table.add("init", options.init,
              "model.h5 to begin with; default: EfficientNet-lite0 with ImageNet's weights");
    table.add("output", options.output, "model.h5 to write, for extract").required();
    table.add("epochs", settings.epochs, "times that each image is seen, in two views");
    table.add("batch", settings.batch, "images of a step over all ranks");
    table.add("blocks", settings.blocks, "blocks of layers that are trained, the last ones");
    table.add("lr", settings.rate, "highest learning rate of AdamW");
    table.add("weight-decay", settings.weight_decay, "of weights");
    table.add("temperature", settings.temperature, "of the contrastive loss");
    table.add("crop", settings.augmentation.smallest_crop, "smallest side of a view's crop");
    table.add("seed", settings.seed, "of views, order and projection");
    table.add("precision", options.precision, "of activations").choices({"f32", "bf16"});
    table.add("backend", options.backend, "who computes").choices({"onednn", "cudnn", "reference"});
    return table;
}

}  // namespace

int run_adapt(const Arguments& arguments, const comm::Communicator& world) {
    Options options;
    auto table = describe(options);
    if (table.parse(arguments) == base::Parsed::done) return comm::exit_status::done;
    store::check_output(options.output, world);
    options.settings.precision = nn::precision_of(options.precision);
    options.settings.backend = nn::backend_kind(options.backend);
    store::Provenance provenance(table, world);
    provenance.add_input(options.corpus);
    if (!options.init.empty()) provenance.add_input(options.init);

    const nn::Images images(store::CorpusReader(options.corpus));
    auto model =
        options.init.empty() ? nn::default_model(world) : nn::read_model(options.init, world);
    double last = 0;
    {
        const auto scope = provenance.phases().measure("adapt");
        model = nn::adapt(
            std::move(model), images, options.settings,
            [&](std::int64_t epoch, double loss) {
                base::log_info(fmt::format("epoch {}: loss {:.4f}", epoch, last = loss));
            },
            world);
    }
    nn::write_model(options.output, model, provenance, world);
    base::print(fmt::format("{} images, {} epochs, loss {:.4f} -> {}", images.count(),
                            options.settings.epochs, last, options.output));
    return comm::exit_status::done;
}

}  // namespace nanoatlas::jobs
