// cuDNN's back-end descriptors: made, given attributes, finalised; move-only.
#pragma once

#include <cudnn.h>

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/cudnn/handles.hpp"

namespace nanoatlas::kernels::cudnn {

class Descriptor {
  public:
    explicit Descriptor(cudnnBackendDescriptorType_t type);

    cudnnBackendDescriptor_t get() const { return handle_.get(); }
    Descriptor& set(cudnnBackendAttributeName_t name, std::int64_t value);
    Descriptor& set(cudnnBackendAttributeName_t name, std::span<const std::int64_t> values);
    Descriptor& set(cudnnBackendAttributeName_t name, bool value);
    Descriptor& set(cudnnBackendAttributeName_t name, double value);
    Descriptor& set(cudnnBackendAttributeName_t name, float value);
    Descriptor& set(cudnnBackendAttributeName_t name, const Descriptor& value);
    Descriptor& set(cudnnBackendAttributeName_t name, std::span<const Descriptor> values);
    Descriptor& set(cudnnBackendAttributeName_t name, cudnnHandle_t value);
    Descriptor& set(cudnnBackendAttributeName_t name, cudnnDataType_t value);
    Descriptor& set(cudnnBackendAttributeName_t name, cudnnConvolutionMode_t value);
    Descriptor& set(cudnnBackendAttributeName_t name, cudnnPointwiseMode_t value);
    Descriptor& set(cudnnBackendAttributeName_t name, cudnnBackendHeurMode_t value);
    Descriptor& set(cudnnBackendAttributeName_t name, std::span<void* const> values);
    Descriptor& set(cudnnBackendAttributeName_t name, std::span<const char> values);
    /// False where cuDNN does not support what was described.
    bool try_finalize() { return cudnnBackendFinalize(get()) == CUDNN_STATUS_SUCCESS; }
    Descriptor& finalize();

    std::int64_t get_integer(cudnnBackendAttributeName_t name) const;
    /// Descriptors of that type, at most `most`.
    std::vector<Descriptor> get_descriptors(cudnnBackendAttributeName_t name,
                                            cudnnBackendDescriptorType_t type,
                                            std::int64_t most) const;
    std::vector<cudnnBackendNumericalNote_t> get_numerical_notes() const;

  private:
    Descriptor& set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                    std::int64_t count, const void* values);

    Handle<cudnnBackendDescriptor_t, cudnnBackendDestroyDescriptor> handle_;
};

}  // namespace nanoatlas::kernels::cudnn
