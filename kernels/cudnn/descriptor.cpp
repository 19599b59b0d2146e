#include "kernels/cudnn/descriptor.hpp"

#include <array>

namespace nanoatlas::kernels::cudnn {

using Name = cudnnBackendAttributeName_t;

Descriptor::Descriptor(cudnnBackendDescriptorType_t type) {
    cudnnBackendDescriptor_t made = nullptr;
    check(cudnnBackendCreateDescriptor(type, &made), "make a descriptor");
    handle_ = Handle<cudnnBackendDescriptor_t, cudnnBackendDestroyDescriptor>(made);
}

Descriptor& Descriptor::set(Name name, cudnnBackendAttributeType_t type, std::int64_t count,
                            const void* values) {
    check(cudnnBackendSetAttribute(get(), name, type, count, values), "describe an operation");
    return *this;
}

Descriptor& Descriptor::set(Name name, std::int64_t value) {
    return set(name, CUDNN_TYPE_INT64, 1, &value);
}
Descriptor& Descriptor::set(Name name, std::span<const std::int64_t> values) {
    return set(name, CUDNN_TYPE_INT64, std::ssize(values), values.data());
}
Descriptor& Descriptor::set(Name name, bool value) {
    return set(name, CUDNN_TYPE_BOOLEAN, 1, &value);
}
Descriptor& Descriptor::set(Name name, double value) {
    return set(name, CUDNN_TYPE_DOUBLE, 1, &value);
}
Descriptor& Descriptor::set(Name name, float value) {
    return set(name, CUDNN_TYPE_FLOAT, 1, &value);
}
Descriptor& Descriptor::set(Name name, const Descriptor& value) {
    const auto raw = value.get();
    return set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &raw);
}
Descriptor& Descriptor::set(Name name, std::span<const Descriptor> values) {
    std::vector<cudnnBackendDescriptor_t> raw;
    for (const auto& value : values) raw.push_back(value.get());
    return set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, std::ssize(raw), raw.data());
}
Descriptor& Descriptor::set(Name name, cudnnHandle_t value) {
    return set(name, CUDNN_TYPE_HANDLE, 1, &value);
}
Descriptor& Descriptor::set(Name name, cudnnDataType_t value) {
    return set(name, CUDNN_TYPE_DATA_TYPE, 1, &value);
}
Descriptor& Descriptor::set(Name name, cudnnConvolutionMode_t value) {
    return set(name, CUDNN_TYPE_CONVOLUTION_MODE, 1, &value);
}
Descriptor& Descriptor::set(Name name, cudnnPointwiseMode_t value) {
    return set(name, CUDNN_TYPE_POINTWISE_MODE, 1, &value);
}
Descriptor& Descriptor::set(Name name, cudnnBackendHeurMode_t value) {
    return set(name, CUDNN_TYPE_HEUR_MODE, 1, &value);
}
Descriptor& Descriptor::set(Name name, std::span<void* const> values) {
    return set(name, CUDNN_TYPE_VOID_PTR, std::ssize(values), values.data());
}
Descriptor& Descriptor::set(Name name, std::span<const char> values) {
    return set(name, CUDNN_TYPE_CHAR, std::ssize(values), values.data());
}

Descriptor& Descriptor::finalize() {
    check(cudnnBackendFinalize(get()), "finish a descriptor");
    return *this;
}

std::int64_t Descriptor::get_integer(Name name) const {
    std::int64_t value = 0, count = 0;
    check(cudnnBackendGetAttribute(get(), name, CUDNN_TYPE_INT64, 1, &count, &value),
          "read a descriptor");
    return value;
}

std::vector<Descriptor> Descriptor::get_descriptors(Name name, cudnnBackendDescriptorType_t type,
                                                    std::int64_t most) const {
    std::int64_t count = 0;
    check(cudnnBackendGetAttribute(get(), name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 0, &count, nullptr),
          "count descriptors");
    std::vector<Descriptor> found;
    std::vector<cudnnBackendDescriptor_t> raw;
    for (std::int64_t i = 0; i < std::min(count, most); ++i) {
        found.emplace_back(type);
        raw.push_back(found.back().get());
    }
    if (raw.empty()) return found;
    check(cudnnBackendGetAttribute(get(), name, CUDNN_TYPE_BACKEND_DESCRIPTOR, std::ssize(raw),
                                   &count, raw.data()),
          "read descriptors");
    found.erase(found.begin() + count, found.end());
    return found;
}

std::vector<cudnnBackendNumericalNote_t> Descriptor::get_numerical_notes() const {
    std::array<cudnnBackendNumericalNote_t, CUDNN_NUMERICAL_NOTE_TYPE_COUNT> notes{};
    std::int64_t count = 0;
    check(
        cudnnBackendGetAttribute(get(), CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE,
                                 std::ssize(notes), &count, notes.data()),
        "read an engine's notes");
    return {notes.begin(), notes.begin() + count};
}

}  // namespace nanoatlas::kernels::cudnn
