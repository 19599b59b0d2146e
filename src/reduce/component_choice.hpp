// Which eigenvectors a user asks for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "reduce/eigen.hpp"
#include "reduce/scatter.hpp"

namespace nanoatlas::reduce {

class ComponentChoice {
  public:
    /// components: as PcaOptions says; most: that there are. A warning says so if they are fewer.
    /// throws InputError if components is none of these, or there are none
    ComponentChoice(const std::string& components, std::int64_t most);

    /// Their number, unless it depends on all eigenvalues.
    std::optional<std::int64_t> count() const;

    /// The leading eigenpairs, found by rank 0, the same bits on every rank. Collective.
    EigenPairs of(const PackedMatrix& matrix, const comm::Communicator& comm) const;

  private:
    std::int64_t enough(const PackedMatrix& matrix) const;

    double wanted_;
    std::int64_t most_;
};

}  // namespace nanoatlas::reduce
