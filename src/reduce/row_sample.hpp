// A thousand rows of a matrix that stand for all.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "reduce/scatter.hpp"
#include "reduce/subspace_iteration.hpp"

namespace nanoatlas::reduce {

/// The trace of the scatter matrix, and rows at equal distances. Collective.
/// throws InputError if rows in a file cannot be read
class Survey {
  public:
    static constexpr std::int64_t sample_rows = 1024;

    /// Of at least sample_rows rows. means must outlive it.
    Survey(const RowTiles& tiles, const ColumnMeans& means, const comm::Communicator& comm);

    double trace() const { return trace_; }
    /// [at least sample_rows, columns], on the root; elsewhere empty
    std::span<const float> sample() const { return sample_; }

  private:
    double square_deviations(std::span<const float> rows) const;
    void pick(std::span<const float> rows, std::int64_t first_row, std::vector<float>& own) const;

    const std::vector<double>& mean_;
    std::int64_t stride_;
    double trace_ = 0;
    std::vector<float> sample_;
};

/// The scatter matrix of a few rows, on one rank, as large as that of `total` such rows.
class SampleScatter {
  public:
    /// rows [n, columns], mean [columns]
    SampleScatter(std::span<const float> rows, const std::vector<double>& mean, std::int64_t total);

    /// As SubspaceIteration::Product; the same bits on any number of threads.
    void operator()(const VectorBlock& in, VectorBlock& out) const;

  private:
    int rows_, columns_;
    std::vector<double> values_;
};

}  // namespace nanoatlas::reduce
