// Lists of neighbours as a file, made once and used by whatever comes after.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "cluster/distinct_rows.hpp"
#include "cluster/neighbours.hpp"
#include "store/artefact.hpp"

namespace nanoatlas::cluster {

enum class Metric { euclidean, cosine };
Metric metric_of(const std::string& name);
const char* name_of(Metric metric);

/// Each row divided by its length, in f64. Their Euclidean distance is the cosine metric here:
/// sqrt(2 - 2 cos), which orders neighbours as 1 - cos does and is a distance, as densities need.
/// Collective. throws InputError if a row is zero: names it
store::Matrix<double> unit_rows(store::Matrix<double> matrix, const comm::Communicator& comm);
/// Of some rows, from first_row on. Not collective.
void make_unit_rows(std::span<double> rows, std::int64_t columns, std::int64_t first_row);

/// 32 hexadecimal digits that tell a matrix from others: of its values, their places and its shape.
/// The same on any number of ranks and in any order of parts.
class MatrixHash {
  public:
    explicit MatrixHash(std::int64_t columns) : columns_(columns) {}
    void add(std::span<const double> rows, std::int64_t first_row);
    /// Collective.
    std::string digits(const comm::Communicator& comm) const;

  private:
    std::int64_t columns_;
    std::array<std::uint64_t, 2> sums_{};  // over rows
};

/// Collective.
std::string matrix_hash(const store::Matrix<double>& matrix, const comm::Communicator& comm);

/// What of the matrix a list belongs to is kept beside it.
struct ListOrigin {
    Metric metric = Metric::euclidean;
    std::string matrix;  ///< matrix_hash() of the matrix as it was given
};

/// Takes lists as they come.
class NeighbourWriter {
  public:
    /// Collective. rows: of all lists
    NeighbourWriter(store::ArtefactWriter& writer, std::int64_t rows, int k);
    void write(const Neighbours& lists);

  private:
    store::ArtefactWriter& writer_;
};
void write_origin(store::ArtefactWriter& writer, int k, const ListOrigin& origin);

/// Datasets index i64 [N, k] and distance f64 [N, k], attributes k, metric, matrix. Collective.
void write_neighbours(store::ArtefactWriter& writer, const Neighbours& lists,
                      const ListOrigin& origin);

/// Lists for the rows of a matrix: out of a file where one is named, else found. All collective.
class ListSource {
  public:
    /// path    of a file that the job neighbours wrote; "": there is none
    /// matrix  as it was given
    /// throws  InputError if the file belongs to another matrix
    ListSource(std::string path, const store::Matrix<double>& matrix,
               const comm::Communicator& comm);

    /// That of the lists; without a file they are Euclidean.
    Metric metric() const { return metric_; }
    /// The same rows, such that Euclidean distances between them are those of the lists: of unit
    /// length where the file's metric is the cosine.
    store::Matrix<double> in_its_metric(store::Matrix<double> matrix) const;

    /// At least `least` and at most `most` neighbours of each distinct row, numbered as these are.
    /// Where repeated rows leave too few in the file, they are found after all, with a warning.
    /// distinct  of the matrix that in_its_metric() gave
    /// throws    InputError if the file's lists are shorter than `least`
    Neighbours lists(const DistinctRows& distinct, int least, int most) const;

  private:
    std::string path_;
    Metric metric_ = Metric::euclidean;
    const comm::Communicator& comm_;
};

}  // namespace nanoatlas::cluster
