// Assertions in three strengths and the errors they throw.
#pragma once

#include <fmt/core.h>

#include <stdexcept>
#include <string>

namespace nanoatlas {

/// What the user gave is wrong: exit status 2.
/// The message says what is wrong, why that is a problem, and what to do:
/// "cannot read corpus 'a.h5': attribute 'complete' is missing (the run that wrote it did not
/// finish); run ingest again".
class InputError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// The environment broke something we had a right to rely on (disk full, a library failed):
/// exit status 1. Same form of message.
class EnvironmentError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// A run was asked to stop and has written what it needs to go on: exit status 75.
class StoppedOnRequest : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

namespace base {
[[noreturn]] void fail_assertion(const char* condition, const char* file, int line);
}
}  // namespace nanoatlas

/// User input; always on. VALIDATE(k < n, "k = {} needs more than {} rows", k, n)
#define VALIDATE(condition, ...)                                                   \
    do {                                                                           \
        if (!(condition)) throw ::nanoatlas::InputError(fmt::format(__VA_ARGS__)); \
    } while (false)

/// What the environment may break; always on.
#define ENSURE(condition, ...)                                                           \
    do {                                                                                 \
        if (!(condition)) throw ::nanoatlas::EnvironmentError(fmt::format(__VA_ARGS__)); \
    } while (false)

/// Our own mistakes; debug builds only.
#ifndef NDEBUG
#define ASSERT(condition)                                                                    \
    do {                                                                                     \
        if (!(condition)) ::nanoatlas::base::fail_assertion(#condition, __FILE__, __LINE__); \
    } while (false)
#else
#define ASSERT(condition) static_cast<void>(0)
#endif
