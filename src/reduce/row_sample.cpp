#include "reduce/row_sample.hpp"

#include <cblas.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "reduce/lapack.hpp"
#include "store/agree.hpp"

namespace nanoatlas::reduce {

template <class T>
std::vector<float> centred_sample(const RowTiles<T>& tiles, const ColumnMeans& means,
                                  const comm::Communicator& comm) {
    const auto width = means.mean.size();
    const auto stride = tiles.total_rows() / sample_rows;
    std::vector<float> own;
    store::agree_on_input(comm, [&] {
        std::vector<T> room;
        for (std::int64_t t = 0; t < tiles.count(); ++t) {
            const auto rows = tiles.rows(t, room);
            const auto begin = tiles.begin_of(t);
            for (auto row = (begin + stride - 1) / stride * stride; row < tiles.end_of(t);
                 row += stride) {
                const auto values =
                    rows.subspan(static_cast<std::size_t>(row - begin) * width, width);
                for (std::size_t j = 0; j < width; ++j)
                    own.push_back(static_cast<float>(values[j] - means.mean[j]));
            }
        }
    });
    return comm.gather(std::span<const float>(own));
}

template std::vector<float> centred_sample(const RowTiles<float>&, const ColumnMeans&,
                                           const comm::Communicator&);
template std::vector<float> centred_sample(const RowTiles<double>&, const ColumnMeans&,
                                           const comm::Communicator&);

SampleScatter::SampleScatter(std::span<const float> rows, std::int64_t columns, std::int64_t total)
    : rows_(static_cast<int>(rows.size() / static_cast<std::size_t>(columns))),
      columns_(static_cast<int>(columns)),
      values_(rows.size()) {
    const double scale = std::sqrt(static_cast<double>(total) / rows_);
#pragma omp parallel for
    for (std::size_t i = 0; i < rows.size(); ++i) values_[i] = static_cast<float>(scale * rows[i]);
}

double SampleScatter::trace() const {
    return std::inner_product(values_.begin(), values_.end(), values_.begin(), 0.0);
}

void SampleScatter::operator()(const VectorBlock& in, VectorBlock& out) const {
    constexpr int strip = 128;
    const auto vectors = static_cast<int>(in.size() / static_cast<std::size_t>(columns_));
    const std::vector<float> rounded(in.begin(), in.end());
    std::vector<float> scores(static_cast<std::size_t>(vectors) * static_cast<std::size_t>(rows_)),
        product(in.size());
#pragma omp parallel for schedule(dynamic)
    for (int first = 0; first < rows_; first += strip)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, vectors,
                    std::min(strip, rows_ - first), columns_, 1.0F, rounded.data(), columns_,
                    values_.data() + static_cast<std::ptrdiff_t>(first) * columns_, columns_, 0.0F,
                    scores.data() + first, rows_);
    multiply_strips(vectors, columns_, rows_, scores.data(), values_.data(), product.data());
    std::ranges::copy(product, out.begin());
}

}  // namespace nanoatlas::reduce
