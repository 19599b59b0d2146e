// Feature enhancement as a part of jobs: the chain of src/reduce/enhance with what its steps need
// from elsewhere, the search for neighbours and the pixel sizes of a corpus.
#pragma once

#include <string>

#include "comm/communicator.hpp"
#include "reduce/enhance/chain.hpp"
#include "store/provenance.hpp"

namespace nanoatlas::jobs {

/// Applies the chain to the rows of a matrix; the pixel sizes are read where a step needs them.
/// Collective; the same bits on any number of ranks.
/// corpus  the corpus of these rows; may be ""
/// throws  InputError as the steps do, or if the corpus has another number of rows
void enhance(reduce::FeatureMatrix& matrix, const reduce::EnhancementChain& chain,
             const std::string& corpus, store::Provenance& provenance,
             const comm::Communicator& world);

}  // namespace nanoatlas::jobs
