// Which samples made a step's loss not finite.
#pragma once

#include <functional>
#include <string>

#include "base/check.hpp"
#include "comm/communicator.hpp"
#include "nn/train/batches.hpp"

namespace nanoatlas::nn {

/// The loss of a step is not finite; says step, ranks and samples.
class LossNotFinite : public InputError {
  public:
    using InputError::InputError;
};

/// Names a row of the corpus: "row 17 'a/b.tif'". Not collective.
using NameRow = std::function<std::string(std::int64_t row)>;
inline std::string number_of_row(std::int64_t row) {
    return fmt::format("row {}", row);
}

/// "rank 0: row 17 'a.tif'; rank 2: row 4 'b.tif', row 90 'c.tif'", the first few of each rank: the
/// samples whose values are not finite; if there are none, those whose loss is not. "" if there are
/// none of these either. The same on every rank. Collective.
///
/// not_finite  places in the batch where the loss is not finite
std::string culprits(const Batch& batch, std::span<const std::int64_t> not_finite,
                     const NameRow& name, const comm::Communicator& comm);

}  // namespace nanoatlas::nn
