// Memory that this machine can still give.
#pragma once

#include <cstdint>

namespace nanoatlas::nn {

/// Bytes that programs on this node can take without swapping, within the limit of its control
/// group; a very large number where the system does not say.
std::int64_t available_memory();

}  // namespace nanoatlas::nn
