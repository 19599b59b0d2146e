// The plain form of an optimiser's step: sums and steps in f64, rounded when they are stored.
#pragma once

#include <memory>

#include "kernels/updates.hpp"

namespace nanoatlas::kernels::reference {

std::unique_ptr<Updater> make_updater(const UpdateOptions& options,
                                      std::span<const UpdateSlice> slices);

}  // namespace nanoatlas::kernels::reference
