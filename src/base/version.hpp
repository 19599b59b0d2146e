// What this program is: its version, the commit it was built from, and the libraries under it.
#pragma once

#include <string>

namespace nanoatlas::base {

/// "0.1.0"
std::string version();
/// Short hash of the commit, with "-dirty" behind it where the tree was changed; "unknown" outside
/// a git checkout.
std::string commit();
/// One line for --version.
std::string version_text();

}  // namespace nanoatlas::base
