// Real micrographs, weights and expected answers that lie beside the checkout, in ../shared.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace nanoatlas::testing {

/// The folder, or the one that NANOATLAS_SHARED names; may be absent.
inline std::filesystem::path shared_data() {
    const char* given = std::getenv("NANOATLAS_SHARED");
    return given != nullptr ? given : NANOATLAS_SHARED;
}

}  // namespace nanoatlas::testing

/// Skips the test, saying so, unless ../shared/<path> is there.
#define NEEDS_SHARED(path)                                                      \
    if (!std::filesystem::exists(::nanoatlas::testing::shared_data() / (path))) \
    GTEST_SKIP() << "skipped: ../shared/" << (path) << " is absent"
