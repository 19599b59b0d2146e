// What an autoencoder reads: rows of numbers spread over ranks, brought to a common measure.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/distribution.hpp"
#include "nn/graph.hpp"
#include "reduce/autoencoder/autoencoder.hpp"
#include "store/matrix.hpp"

namespace nanoatlas::reduce {

class AutoencoderRows {
  public:
    virtual ~AutoencoderRows() = default;
    /// Of one row.
    virtual nn::Shape shape() const = 0;
    /// Those of this rank, of all.
    virtual const comm::RowBlock& block() const = 0;
    /// Some of this rank's, by their numbers among all: [rows, elements].
    virtual std::vector<float> own(std::span<const std::int64_t> rows) const = 0;
    /// Any, by their numbers; each rank asks for what it needs. Collective.
    virtual std::vector<float> fetch(std::span<const std::int64_t> rows) const = 0;
};

/// Tells rows from others, in another order too; the same on any number of ranks. Collective.
std::uint64_t fingerprint(const AutoencoderRows& rows, const comm::Communicator& comm);

/// What columns weigh against each other: all the same, whatever their variance, or as they are.
enum class ColumnWeights { equal, as_they_are };

/// Means of the columns of a matrix, and what each is divided by: its deviation (1 where there is
/// none), or the root of the columns' mean variance. The same bits on any number of ranks.
/// Collective.
struct ColumnScale {
    std::vector<double> mean, deviation;
};
ColumnScale column_scale(const store::Matrix<float>& matrix, ColumnWeights weights,
                         const comm::Communicator& comm);

/// The rows of a matrix, (x - mean) / deviation by column.
class MatrixRows final : public AutoencoderRows {
  public:
    /// comm must outlive this.
    MatrixRows(store::Matrix<float> matrix, const ColumnScale& scale,
               const comm::Communicator& comm);

    nn::Shape shape() const override { return {matrix_.columns, 1, 1}; }
    const comm::RowBlock& block() const override { return matrix_.rows; }
    std::vector<float> own(std::span<const std::int64_t> rows) const override;
    std::vector<float> fetch(std::span<const std::int64_t> rows) const override;

  private:
    store::Matrix<float> matrix_;
    const comm::Communicator& comm_;
};

}  // namespace nanoatlas::reduce
