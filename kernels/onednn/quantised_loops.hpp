// Our own loop over images of 8-bit integers: one format becomes another, by channel.
#pragma once

#include "kernels/quantised.hpp"

namespace nanoatlas::kernels::onednn {

/// As QuantisedBackend::rescale.
void rescale(const void* x, std::int64_t rows, std::int64_t channels, const Rescaling& how,
             void* y);

}  // namespace nanoatlas::kernels::onednn
