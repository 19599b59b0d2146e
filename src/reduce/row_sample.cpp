#include "reduce/row_sample.hpp"

#include <cblas.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "reduce/lapack.hpp"
#include "store/agree.hpp"

namespace nanoatlas::reduce {

Survey::Survey(const RowTiles& tiles, const ColumnMeans& means, const comm::Communicator& comm)
    : mean_(means.mean), stride_(tiles.total_rows() / sample_rows) {
    const Quantum quantum(static_cast<double>(tiles.total_rows() * tiles.columns()) *
                          means.largest_deviation * means.largest_deviation);
    std::vector<float> own;
    store::agree_on_input(comm, [&] {
        std::vector<float> room;
        for (std::int64_t t = 0; t < tiles.count(); ++t) {
            const auto rows = tiles.rows(t, room);
            trace_ += quantum.round(square_deviations(rows));
            pick(rows, tiles.begin_of(t), own);
        }
    });
    trace_ = comm.sum(trace_);
    sample_ = comm.gather(std::span<const float>(own));
}

double Survey::square_deviations(std::span<const float> rows) const {
    std::vector<double> of_row(rows.size() / mean_.size());
#pragma omp parallel for
    for (std::size_t i = 0; i < of_row.size(); ++i) {
        const float* row = rows.data() + i * mean_.size();
        double sum = 0;
#pragma omp simd reduction(+ : sum)
        for (std::size_t j = 0; j < mean_.size(); ++j)
            sum += (row[j] - mean_[j]) * (row[j] - mean_[j]);
        of_row[i] = sum;
    }
    return std::accumulate(of_row.begin(), of_row.end(), 0.0);
}

void Survey::pick(std::span<const float> rows, std::int64_t first_row,
                  std::vector<float>& own) const {
    const auto width = mean_.size();
    for (std::size_t i = 0; i < rows.size() / width; ++i)
        if ((first_row + static_cast<std::int64_t>(i)) % stride_ == 0) {
            const auto row = rows.subspan(i * width, width);
            own.insert(own.end(), row.begin(), row.end());
        }
}

SampleScatter::SampleScatter(std::span<const float> rows, const std::vector<double>& mean,
                             std::int64_t total)
    : rows_(static_cast<int>(rows.size() / mean.size())),
      columns_(static_cast<int>(mean.size())),
      values_(rows.size()) {
    const double scale = std::sqrt(static_cast<double>(total) / rows_);
#pragma omp parallel for
    for (std::size_t at = 0; at < rows.size(); at += mean.size())
        for (std::size_t j = 0; j < mean.size(); ++j)
            values_[at + j] = scale * (rows[at + j] - mean[j]);
}

void SampleScatter::operator()(const VectorBlock& in, VectorBlock& out) const {
    constexpr int strip = 128;
    const auto vectors = static_cast<int>(in.size() / static_cast<std::size_t>(columns_));
    std::vector<double> scores(static_cast<std::size_t>(vectors) * static_cast<std::size_t>(rows_));
#pragma omp parallel for schedule(dynamic)
    for (int first = 0; first < rows_; first += strip)
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, vectors,
                    std::min(strip, rows_ - first), columns_, 1.0, in.data(), columns_,
                    values_.data() + static_cast<std::ptrdiff_t>(first) * columns_, columns_, 0.0,
                    scores.data() + first, rows_);
    multiply_strips(vectors, columns_, rows_, scores.data(), values_.data(), out.data());
}

}  // namespace nanoatlas::reduce
