// Products of the scatter matrix of all rows with vectors, over all ranks.
#pragma once

#include <cstddef>

#include "reduce/scatter.hpp"
#include "reduce/subspace_iteration.hpp"

namespace nanoatlas::reduce {

/// The root asks for products, the others serve until they are dismissed. The same bits on any
/// number of ranks and threads. tiles, means and comm must outlive it. T: float or double.
template <class T>
class RowScatter {
  public:
    /// vectors: of a block
    RowScatter(const RowTiles<T>& tiles, const ColumnMeans& means, std::int64_t vectors,
               const comm::Communicator& comm);

    /// As SubspaceIteration::Product; on the root.
    /// throws InputError, on all ranks, if rows in a file cannot be read
    void operator()(const VectorBlock& in, VectorBlock& out) const;
    /// On the root.
    void dismiss() const;
    /// On the others. throws InputError as the product does
    void serve() const;

  private:
    VectorBlock multiply(VectorBlock axes) const;

    const RowTiles<T>& tiles_;
    const ColumnMeans& means_;
    std::size_t size_;
    const comm::Communicator& comm_;
};

}  // namespace nanoatlas::reduce
