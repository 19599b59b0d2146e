#include "cluster/row_blocks.hpp"

namespace nanoatlas::cluster {

void for_each_block(const store::Matrix<double>& matrix, const comm::Communicator& comm,
                    const std::function<void(const RowsOfRank&)>& visit) {
    const comm::BlockDistribution blocks(matrix.rows.total, comm.size());
    for (int rank = 0; rank < comm.size(); ++rank) {
        RowsOfRank block{.rows = blocks.block(rank), .values = {}};
        if (block.rows.count == 0) continue;
        if (rank == comm.rank()) block.values = matrix.values;
        block.values.resize(static_cast<std::size_t>(block.rows.count * matrix.columns));
        comm.broadcast(std::span<double>(block.values), rank);
        visit(block);
    }
}

}  // namespace nanoatlas::cluster
