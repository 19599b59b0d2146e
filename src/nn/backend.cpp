#include "nn/backend.hpp"

#include <fmt/core.h>

#include <cstdlib>
#include <stdexcept>

#include "base/check.hpp"
#include "base/log.hpp"
#include "kernels/cudnn/cudnn.hpp"
#include "kernels/onednn/onednn.hpp"
#include "kernels/reference/cnn.hpp"

namespace nanoatlas::nn {
namespace {

std::unique_ptr<kernels::Backend> make_cudnn(Precision precision, const kernels::Ranks* ranks) {
    try {
        return kernels::cudnn::make_backend(precision, ranks);
    } catch (const std::runtime_error& error) {
        throw InputError(error.what());
    }
}

void say_fallback(const std::string& who, const std::string& what) {
    base::log_warning(fmt::format("{} has no bf16 {}; computing in f32", who, what));
}

}  // namespace

std::unique_ptr<kernels::Backend> make_backend(BackendKind kind, Precision precision,
                                               const kernels::Ranks* ranks) {
    if (kind == BackendKind::cudnn) return make_cudnn(precision, ranks);
    if (kind == BackendKind::reference) {
        if (precision == Precision::bf16) say_fallback("the reference back end", "kernels");
        return kernels::reference::make_backend();
    }
    if (precision == Precision::bf16 && !kernels::onednn::has_bf16()) {
        say_fallback("this processor", "instructions");
        precision = Precision::f32;
    }
    return kernels::onednn::make_backend(precision);
}

BackendKind default_backend() {
    const char* const name = std::getenv("NANOATLAS_BACKEND");
    return name == nullptr ? BackendKind::onednn : backend_kind(name);
}

BackendKind backend_kind(const std::string& name) {
    if (name == "onednn") return BackendKind::onednn;
    if (name == "cudnn") return BackendKind::cudnn;
    if (name == "reference") return BackendKind::reference;
    throw InputError(fmt::format("unknown back end '{}'; use onednn or cudnn", name));
}

Precision precision_of(const std::string& name) {
    if (name == "f32") return Precision::f32;
    if (name == "bf16") return Precision::bf16;
    throw InputError(fmt::format("unknown precision '{}'; use f32 or bf16", name));
}

}  // namespace nanoatlas::nn
