#include "cluster/row_ring.hpp"

namespace nanoatlas::cluster {

std::vector<comm::RowBlock> blocks_of_all_ranks(std::int64_t rows, const comm::Communicator& comm) {
    const comm::BlockDistribution blocks(rows, comm.size());
    std::vector<comm::RowBlock> all;
    for (int rank = 0; rank < comm.size(); ++rank) all.push_back(blocks.block(rank));
    return all;
}

}  // namespace nanoatlas::cluster
