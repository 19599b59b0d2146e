// nanoatlas export-model: a model of ours as weights for PyTorch.

#include "nn/export/export_model.hpp"

#include "base/check.hpp"
#include "base/log.hpp"
#include "base/options.hpp"
#include "comm/session.hpp"
#include "jobs/jobs.hpp"
#include "store/output.hpp"
#include "store/plain_file.hpp"
#include "store/provenance.hpp"

namespace nanoatlas::jobs {
namespace {

struct Options {
    std::string model, output;
    bool colour = true;
};

base::OptionTable describe(Options& options) {
    base::OptionTable table("export-model", "turns a model into weights for PyTorch");
    table.add("model", options.model, "model.h5").required();
    table.add("output", options.output, ".safetensors to write").required();
    table.add("colour", options.colour,
              "a first layer for grey becomes one for three equal channels, as torchvision's "
              "networks have");
    return table;
}

}  // namespace

int run_export_model(const Arguments& arguments, const comm::Communicator& world) {
    Options options;
    auto table = describe(options);
    if (table.parse(arguments) == base::Parsed::done) return comm::exit_status::done;
    VALIDATE(options.output.ends_with(".safetensors"),
             "cannot export to '{}' (only .safetensors is written); name a .safetensors",
             options.output);
    store::check_output(options.output, world);
    store::Provenance provenance(table, world);
    provenance.add_input(options.model);

    auto model = nn::read_model(options.model, world);
    if (options.colour) nn::spread_to_colour(model);
    const auto file = world.is_root() ? nn::export_model(model, provenance.json()) : std::string();
    store::publish_text(options.output, file, world);
    base::print(fmt::format("{}: {} tensors, {} classes, {} input of {}x{} pixels -> {}",
                            model.arch, model.tensors.size(), model.classes.size(),
                            model.is_grey() ? "grey" : "colour", model.size, model.size,
                            options.output));
    return comm::exit_status::done;
}

}  // namespace nanoatlas::jobs
