#include "nn/import/weights.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <new>

#include "base/check.hpp"
#include "nn/import/element.hpp"
#include "nn/import/onnx.hpp"
#include "nn/import/safetensors.hpp"
#include "nn/import/torch_file.hpp"
#include "nn/import/zip.hpp"
#include "store/npy.hpp"

namespace nanoatlas::nn {

namespace {

TensorMap read_npy_folder(const std::filesystem::path& folder) {
    constexpr std::size_t most_files = 100'000;
    TensorMap tensors;
    std::error_code error;
    const std::filesystem::directory_iterator entries(folder, error);
    VALIDATE(!error, "the folder cannot be read ({})", error.message());
    for (const auto& entry : entries) {
        if (entry.path().extension() != ".npy") continue;
        VALIDATE(tensors.size() < most_files, "the folder holds more than {} tensors", most_files);
        auto array = store::read_npy<float>(entry.path().string());
        tensors.emplace(entry.path().stem().string(),
                        HostTensor{std::move(array.shape), std::move(array.values)});
    }
    VALIDATE(!tensors.empty(), "the folder holds no .npy");
    return tensors;
}

TensorMap read_file(const std::string& path) {
    const auto bytes = read_bytes(path);
    if (is_zip(bytes)) return read_torch_zip(bytes);
    if (is_pickle(bytes)) return read_torch_legacy(bytes);
    if (bytes.size() > 8 && bytes[8] == std::byte{'{'}) return read_safetensors(bytes);
    if (is_onnx(bytes)) return read_onnx(bytes, std::filesystem::path(path).parent_path());
    throw InputError("it begins neither as a .pth nor as a .safetensors or .onnx");
}

/// Without the parts that torch's wrappers put into a name, at its beginning or within:
/// DataParallel and DistributedDataParallel "module.", torch.compile "_orig_mod.".
std::string unwrapped(std::string name) {
    for (const std::string wrapper : {"module.", "_orig_mod."}) {
        if (name.starts_with(wrapper)) name.erase(0, wrapper.size());
        for (auto dot = name.find("." + wrapper); dot != std::string::npos;
             dot = name.find("." + wrapper))
            name.erase(dot + 1, wrapper.size());
    }
    return name;
}

TensorMap tidy(TensorMap&& tensors) {
    TensorMap tidied;
    for (auto& [name, tensor] : tensors) {
        if (name.ends_with("num_batches_tracked")) continue;
        const auto bad =
            std::ranges::find_if_not(tensor.values, [](float v) { return std::isfinite(v); });
        VALIDATE(bad == tensor.values.end(), "tensor '{}' holds {} at element {}", printable(name),
                 *bad, bad - tensor.values.begin());
        VALIDATE(tidied.try_emplace(unwrapped(name), std::move(tensor)).second,
                 "it has two tensors '{}', with and without a wrapper's prefix",
                 printable(unwrapped(name)));
    }
    VALIDATE(!tidied.empty(), "it holds no tensors");
    return tidied;
}

}  // namespace

TensorMap read_weights(const std::string& path) {
    try {
        std::error_code error;
        return tidy(std::filesystem::is_directory(path, error) ? read_npy_folder(path)
                                                               : read_file(path));
    } catch (const InputError& error) {
        throw InputError(fmt::format(
            "cannot read weights '{}': {}; give a .pth with a state_dict (torch.save(model."
            "state_dict(), file)), a .safetensors, an .onnx, or a folder of .npy",
            path, error.what()));
    } catch (const std::bad_alloc&) {
        throw InputError(fmt::format(
            "cannot read weights '{}': its tensors do not fit into memory; use a larger machine",
            path));
    }
}

}  // namespace nanoatlas::nn
