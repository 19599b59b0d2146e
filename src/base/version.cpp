#include "base/version.hpp"

#include "commit.hpp"

namespace nanoatlas::base {

std::string version() {
    return NANOATLAS_VERSION;
}
std::string commit() {
    return NANOATLAS_COMMIT;
}
std::string version_text() {
    return "nanoatlas " + version() + " (" + commit() + ")";
}

}  // namespace nanoatlas::base
