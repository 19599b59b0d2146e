// nanoatlas import-model: weights from elsewhere as a model of ours.

#include "nn/import/import_model.hpp"

#include <fmt/ranges.h>

#include <fstream>

#include "base/check.hpp"
#include "base/log.hpp"
#include "base/number.hpp"
#include "base/options.hpp"
#include "comm/session.hpp"
#include "jobs/jobs.hpp"
#include "nn/import/element.hpp"
#include "nn/zoo/zoo.hpp"
#include "store/provenance.hpp"

namespace nanoatlas::jobs {
namespace {

struct Options {
    std::string from, classes, output;
    std::vector<std::string> mean = {"0.485", "0.456", "0.406"}, std = {"0.229", "0.224", "0.225"};
    nn::ImportOptions model;
};

base::OptionTable describe(Options& options) {
    base::OptionTable table("import-model", "turns weights from elsewhere into a model");
    table.add("from", options.from, ".pth, .safetensors, .onnx, or a folder of .npy").required();
    table.add("arch", options.model.arch, "network that the weights are of")
        .required()
        .choices(nn::zoo::names());
    table.add("classes", options.classes,
              "file with the name of a class a line; another number than the weights' gets a new "
              "classifier");
    table.add("output", options.output, "model.h5 to write").required();
    table.add("grey", options.model.grey, "fold a first layer for colour to grey");
    table.add("partial", options.model.partial,
              "draw tensors that the file lacks instead of refusing it");
    table.add("size", options.model.size, "side of the network's input [pixels]; 0: as published");
    table.add("mean", options.mean, "of the channels in training, pixels in [0, 1]");
    table.add("std", options.std, "of the channels in training, pixels in [0, 1]");
    return table;
}

std::vector<std::string> read_classes(const std::string& path) {
    std::ifstream file(path);
    VALIDATE(file,
             "cannot read the classes '{}' (missing, or no permission); give a text file with a "
             "name a line",
             path);
    std::vector<std::string> names;
    for (std::string line; std::getline(file, line);) {
        while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
        if (!line.empty()) names.push_back(line);
    }
    VALIDATE(!names.empty(), "cannot use the classes '{}' (the file is empty); give a name a line",
             path);
    return names;
}

std::vector<double> to_numbers(const std::vector<std::string>& texts, const char* name) {
    std::vector<double> values;
    for (const auto& text : texts) {
        const auto value = base::parse_number<double>(text);
        VALIDATE(value, "--{} has '{}' (not a number); give numbers", name, text);
        values.push_back(*value);
    }
    return values;
}

void print_summary(const nn::Imported& imported, const Options& options) {
    const auto& [model, fit] = imported;
    std::size_t values = 0;
    for (const auto& [name, tensor] : model.tensors) {
        base::print(fmt::format("  {:<48} {}", name, nn::shape_text(tensor.shape)));
        values += tensor.values.size();
    }
    if (!fit.naming.empty()) base::print("the file has " + fit.naming);
    if (!fit.drawn.empty())
        base::print(fmt::format("drawn anew, train before use: {}", fmt::join(fit.drawn, ", ")));
    if (!fit.surplus.empty())
        base::print(fmt::format("in the file, not used: {}", fmt::join(fit.surplus, ", ")));
    base::print(
        fmt::format("{}: {} tensors, {} numbers, {} classes, {} input of {}x{} pixels -> {}",
                    model.arch, model.tensors.size(), values, model.classes.size(),
                    model.is_grey() ? "grey" : "colour", model.size, model.size, options.output));
}

}  // namespace

int run_import_model(const Arguments& arguments, const comm::Communicator& world) {
    Options options;
    auto table = describe(options);
    if (table.parse(arguments) == base::Parsed::done) return comm::exit_status::done;

    store::Provenance provenance(table, world);
    provenance.add_input(options.from);
    nn::Imported imported;
    world.on_root([&] {
        options.model.mean = to_numbers(options.mean, "mean");
        options.model.std = to_numbers(options.std, "std");
        if (!options.classes.empty()) options.model.classes = read_classes(options.classes);
        imported = nn::import_model(options.from, options.model);
    });
    nn::broadcast_model(imported.model, world);
    nn::write_model(options.output, imported.model, provenance, world);
    print_summary(imported, options);
    return comm::exit_status::done;
}

}  // namespace nanoatlas::jobs
