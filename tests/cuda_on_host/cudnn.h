// Stands in for cuDNN's header: there is nothing to convolve with but our plain kernels.
#pragma once

#include <cstddef>

#include "cuda_runtime_api.h"

using cudnnHandle_t = const char*;
enum cudnnStatus_t { CUDNN_STATUS_SUCCESS };

inline cudnnStatus_t cudnnCreate(cudnnHandle_t* handle) {
    *handle = "on the host";
    return CUDNN_STATUS_SUCCESS;
}
inline cudnnStatus_t cudnnDestroy(cudnnHandle_t) {
    return CUDNN_STATUS_SUCCESS;
}
inline cudnnStatus_t cudnnSetStream(cudnnHandle_t, cudaStream_t) {
    return CUDNN_STATUS_SUCCESS;
}
inline const char* cudnnGetErrorString(cudnnStatus_t) {
    return "";
}
inline void cudnnGetLastErrorString(char*, std::size_t) {}
