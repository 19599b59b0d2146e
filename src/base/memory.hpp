// The memory of this process, and of the machine.
#pragma once

#include <cstdint>

namespace nanoatlas::base {

/// Memory that is freed stays with the process for what comes next, in blocks of up to 2 GiB. The
/// system would map and zero each page anew: a twentieth of the time of stages on wide rows, and
/// more of it on two ranks than on one, since rows on their way need room, too. Where the C library
/// is not glibc, nothing changes.
void keep_freed_memory();

/// Bytes that programs on this node can take without swapping, within the limit of its control
/// group, once what this process keeps has been given back, which this does; a very large number
/// where the system does not say.
std::int64_t available_memory();

}  // namespace nanoatlas::base
