// Stands in for NCCL's header: ranks share the host, so their sums go through MPI.
#pragma once

#include <cstddef>

#include "cuda_runtime_api.h"

using ncclComm_t = struct NcclOnHost*;
struct ncclUniqueId {
    char internal[128];
};
enum ncclResult_t { ncclSuccess, ncclSystemError };
enum ncclDataType_t { ncclFloat, ncclDouble };
enum ncclRedOp_t { ncclSum };

inline const char* ncclGetErrorString(ncclResult_t) {
    return "there is no NCCL on the host";
}
inline ncclResult_t ncclGetUniqueId(ncclUniqueId*) {
    return ncclSystemError;
}
inline ncclResult_t ncclCommInitRank(ncclComm_t*, int, ncclUniqueId, int) {
    return ncclSystemError;
}
inline ncclResult_t ncclCommDestroy(ncclComm_t) {
    return ncclSystemError;
}
inline ncclResult_t ncclAllReduce(const void*, void*, std::size_t, ncclDataType_t, ncclRedOp_t,
                                  ncclComm_t, cudaStream_t) {
    return ncclSystemError;
}
