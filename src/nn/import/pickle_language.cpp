#include "nn/import/pickle_language.hpp"

#include <algorithm>
#include <array>

namespace nanoatlas::nn {

namespace {

struct StorageType {
    std::string_view name;
    Element element;
};
constexpr std::array storage_types = std::to_array<StorageType>({
    {"torch HalfStorage", Element::f16},
    {"torch BFloat16Storage", Element::bf16},
    {"torch FloatStorage", Element::f32},
    {"torch DoubleStorage", Element::f64},
    {"torch CharStorage", Element::i8},
    {"torch ByteStorage", Element::u8},
    {"torch ShortStorage", Element::i16},
    {"torch IntStorage", Element::i32},
    {"torch LongStorage", Element::i64},
    {"torch BoolStorage", Element::boolean},
});

/// Callables whose result we make ourselves.
constexpr std::array builders = std::to_array<std::string_view>({
    "collections OrderedDict",
    "torch._utils _rebuild_tensor",
    "torch._utils _rebuild_tensor_v2",
    "torch._utils _rebuild_parameter",
    "torch._utils _rebuild_parameter_with_state",
});

/// What else training checkpoints hold beside weights; it becomes an opaque value.
constexpr std::array bystanders = std::to_array<std::string_view>({
    "__builtin__ set",
    "_codecs encode",
    "argparse Namespace",
    "builtins set",
    "collections Counter",
    "collections defaultdict",
    "datetime datetime",
    "numpy dtype",
    "numpy ndarray",
    "numpy._core.multiarray _reconstruct",
    "numpy._core.multiarray scalar",
    "numpy.core.multiarray _reconstruct",
    "numpy.core.multiarray scalar",
    "pathlib PosixPath",
    "pathlib WindowsPath",
    "pathlib._local PosixPath",
    "pathlib._local WindowsPath",
    "torch Size",
    "torch bfloat16",
    "torch device",
    "torch float16",
    "torch float32",
    "torch float64",
    "torch int64",
    "torch.torch_version TorchVersion",
});

}  // namespace

std::optional<Element> find_storage_type(std::string_view global) {
    for (const auto& type : storage_types)
        if (type.name == global) return type.element;
    return std::nullopt;
}

bool is_allowed_global(std::string_view global) {
    return std::ranges::count(builders, global) != 0 ||
           std::ranges::count(bystanders, global) != 0 || find_storage_type(global).has_value();
}

}  // namespace nanoatlas::nn
