// Where an output may go, asked before the work is done rather than after.
#pragma once

#include <string>

#include "comm/communicator.hpp"

namespace nanoatlas::store {

/// The folder a file stands in; "." if the path names none.
std::string folder_of(const std::string& path);

/// Collective. throws InputError if a file of that name cannot be written: its folder is missing or
/// read-only, or the name is a folder's
void check_output(const std::string& path, const comm::Communicator& comm);

}  // namespace nanoatlas::store
