// Rows through an autoencoder: their codes, and what is lost of them.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "nn/network.hpp"
#include "reduce/autoencoder/autoencoder.hpp"
#include "reduce/autoencoder/rows.hpp"
#include "store/matrix.hpp"

namespace nanoatlas::reduce {

/// This rank's part of ascending row numbers.
std::span<const std::int64_t> own_part(std::span<const std::int64_t> numbers,
                                       const comm::RowBlock& block);

/// Passes those of the numbered rows that this rank has through a network, some at a time.
/// numbers  ascending
/// use      gets what was put out and what was read: [rows, elements]
using UseOutputs =
    std::function<void(std::span<const float> outputs, std::span<const float> inputs)>;
void pass_own(nn::Network& network, std::int64_t batch, const AutoencoderRows& rows,
              std::span<const std::int64_t> numbers, const UseOutputs& use);

struct Encoded {
    store::Matrix<float> codes;         ///< [rows, code], rows in their blocks
    std::vector<double> squared_error;  ///< of each of this rank's rows
};

/// Collective. throws InputError if the autoencoder lacks tensors, or has some of another shape
Encoded encode(const Autoencoder& autoencoder, const AutoencoderRows& rows, nn::Precision precision,
               nn::BackendKind backend, const comm::Communicator& comm);

}  // namespace nanoatlas::reduce
