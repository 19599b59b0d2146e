// Plain files (text, JSON, .npy) that are there whole or not at all.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "comm/communicator.hpp"

namespace nanoatlas::store {

/// Writes the ranks' bytes one after the other, in rank order: temporary name, fsync, rename, fsync
/// of the folder. Collective.
/// throws InputError if the folder is missing or read-only, EnvironmentError if writing fails (disk
/// full); a file of that name that was there before then stays as it was
void publish_bytes(const std::string& path, std::span<const char> bytes,
                   const comm::Communicator& comm);

/// The text of rank 0. Collective.
void publish_text(const std::string& path, std::string_view text, const comm::Communicator& comm);

}  // namespace nanoatlas::store
