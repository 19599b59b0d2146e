// The rows of each rank in turn, shown to all.
#pragma once

#include <functional>
#include <vector>

#include "store/matrix.hpp"

namespace nanoatlas::cluster {

/// Rows of one rank, as the others see them.
struct RowsOfRank {
    comm::RowBlock rows;
    std::vector<double> values;  ///< [rows.count, columns]
};

/// Shows every rank each rank's rows, in ascending order; one block is held at a time. Collective.
void for_each_block(const store::Matrix<double>& matrix, const comm::Communicator& comm,
                    const std::function<void(const RowsOfRank&)>& visit);

}  // namespace nanoatlas::cluster
