// The portrait of a cluster as part of its page.
#pragma once

#include <string>

#include "atlas/model.hpp"

namespace nanoatlas::atlas {

/// What sets it apart, and a warning where it may be about how the images were taken.
std::string portrait_section(const Atlas& atlas, int cluster);

/// "one session", "one day", "one info bar", or several; empty if its members differ in all.
std::string warning_of(const Portrait& portrait);

/// exp(log_chance) as HTML: "0.004", "3 × 10⁻¹²".
std::string chance_text(double log_chance);

}  // namespace nanoatlas::atlas
