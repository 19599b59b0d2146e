#include "base/check.hpp"

namespace nanoatlas::base {

void fail_assertion(const char* condition, const char* file, int line) {
    throw std::logic_error(fmt::format("assertion '{}' failed at {}:{}", condition, file, line));
}

}  // namespace nanoatlas::base
