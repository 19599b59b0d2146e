// How the training of an autoencoder went, epoch by epoch, as lines that a checkpoint keeps.
#pragma once

#include <cstdint>
#include <string>

namespace nanoatlas::reduce {

/// Mean squared errors of a value, by epoch.
struct EpochErrors {
    double trained = 0;   ///< mean over the epoch's steps, noise included
    double held_out = 0;  ///< after the epoch; NaN without held-out rows
};

/// {"epoch": 1, "trained": ..., "held_out": ...}, null for what is not finite; else no bit is lost.
std::string line_of(std::int64_t epoch, const EpochErrors& errors);
/// What such a line says.
EpochErrors errors_of(const std::string& line);

}  // namespace nanoatlas::reduce
