// Quantisation of a network by a sample of the images that it will see.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "nn/network.hpp"
#include "nn/train/inputs.hpp"

namespace nanoatlas::nn {

/// Those rows that calibrate: all of them, or 256 drawn without preference, in their order.
std::vector<std::int64_t> calibration_sample(std::span<const std::int64_t> rows);

/// Quantises the network by a sample of the rows. Returns the ranges of its layers, the same on any
/// number of ranks. Collective.
///
/// batch  of the network, at most, on every rank
/// rows   the same on every rank
/// throws InputError if there are no rows, or as Network::quantise()
Ranges quantise(Network& network, std::int64_t batch, const Inputs& inputs,
                std::span<const std::int64_t> rows, const comm::Communicator& comm);

}  // namespace nanoatlas::nn
