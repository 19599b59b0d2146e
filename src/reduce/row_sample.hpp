// A thousand rows of a matrix that stand for all.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "reduce/scatter.hpp"
#include "reduce/subspace_iteration.hpp"

namespace nanoatlas::reduce {

/// Rows of a sample, at least.
inline constexpr std::int64_t sample_rows = 1024;

/// Rows at equal distances less their mean, [sample_rows or more, columns], on the root; elsewhere
/// none. T: float or double. Collective.
/// throws InputError if rows in a file cannot be read
///
/// tiles  of sample_rows rows or more
template <class T>
std::vector<float> centred_sample(const RowTiles<T>& tiles, const ColumnMeans& means,
                                  const comm::Communicator& comm);

/// The scatter matrix of a few rows, on one rank, as large as that of `total` such rows.
class SampleScatter {
  public:
    /// rows [n, columns], centred
    SampleScatter(std::span<const float> rows, std::int64_t columns, std::int64_t total);

    double trace() const;
    /// As SubspaceIteration::Product, in f32; the same bits on any number of threads.
    void operator()(const VectorBlock& in, VectorBlock& out) const;

  private:
    int rows_, columns_;
    std::vector<float> values_;
};

}  // namespace nanoatlas::reduce
