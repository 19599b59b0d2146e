#include <fmt/ranges.h>

#include <cstdlib>
#include <filesystem>

#include "base/check.hpp"
#include "nn/import/import_model.hpp"
#include "nn/model_file.hpp"

namespace nanoatlas::nn {

namespace {

std::vector<std::filesystem::path> weight_folders() {
    std::vector<std::filesystem::path> folders;
    if (const char* given = std::getenv("NANOATLAS_WEIGHTS")) folders.emplace_back(given);
    folders.emplace_back(NANOATLAS_WEIGHTS_DIR);
    std::error_code error;
    const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
    if (!error) {
        folders.push_back(program.parent_path() / "weights");
        folders.push_back(program.parent_path() / "../share/nanoatlas/weights");
    }
    return folders;
}

std::string find_weights() {
    std::vector<std::string> looked_in;
    for (const auto& folder : weight_folders()) {
        const auto file = folder / "efficientnet_lite0.pth";
        std::error_code error;
        if (std::filesystem::exists(file, error)) return file.string();
        looked_in.push_back(folder.string());
    }
    throw InputError(
        fmt::format("cannot find the built-in weights 'efficientnet_lite0.pth' (looked in {}); run "
                    "jobs/setup.sh, "
                    "name their folder in NANOATLAS_WEIGHTS, or give --model",
                    fmt::join(looked_in, ", ")));
}

}  // namespace

ModelFile default_model(const comm::Communicator& comm) {
    ModelFile model;
    comm.on_root([&] {
        model = import_model(find_weights(), {.arch = "efficientnet_lite0", .grey = false}).model;
    });
    broadcast_model(model, comm);
    return model;
}

}  // namespace nanoatlas::nn
