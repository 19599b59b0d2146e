// The frame in which codes are given: axes and units, of which a trained network has any.
#pragma once

#include <cstdint>
#include <span>

#include "comm/communicator.hpp"
#include "nn/network.hpp"
#include "reduce/autoencoder/autoencoder.hpp"
#include "reduce/autoencoder/rows.hpp"

namespace nanoatlas::reduce {

/// Moves, turns and stretches codes and undoes it in the layer behind, so that what is put out
/// stays as it was. Over the rows codes have mean 0 then and no correlations, the column of the
/// largest variance first; and distances between codes are those between what a linear map, fitted
/// by least squares, makes of them in the place of the decoder. Without hidden layers they are the
/// scores of the principal components. The same on every rank. Collective. numbers: of the rows
/// learnt, ascending
void set_code_frame(Autoencoder& autoencoder, const AutoencoderRows& rows,
                    std::span<const std::int64_t> numbers, nn::Precision precision,
                    nn::BackendKind backend, const comm::Communicator& comm);

}  // namespace nanoatlas::reduce
