// Which rows an autoencoder learns from, and which are kept back to judge it by.
#pragma once

#include <cstdint>
#include <vector>

#include "store/corpus.hpp"

namespace nanoatlas::reduce {

/// Numbers of rows, ascending; each row is in one of them.
struct Split {
    std::vector<std::int64_t> trained, held_out;
};

/// Of that share of the rows one at least is held out, and two at least are not; of a share of 0
/// none. A function of the arguments. throws InputError if the share is not in [0, 1), or there are
/// too few rows
Split draw_split(std::int64_t rows, double share, std::uint64_t seed);

/// Its validation part is held out, or if it has none, rows are drawn.
Split split_of(const store::CorpusReader& corpus, double share, std::uint64_t seed);

}  // namespace nanoatlas::reduce
