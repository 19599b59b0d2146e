#include "reduce/row_scatter.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "kernels/kokkos/axis_scatter.hpp"
#include "store/agree.hpp"

namespace nanoatlas::reduce {
namespace {

/// A row's score is at most its length times the axis'.
Quantum quantum(const VectorBlock& axes, std::int64_t rows, const ColumnMeans& means) {
    const auto columns = means.mean.size();
    double longest = 0;
    for (std::size_t at = 0; at < axes.size(); at += columns) {
        const auto axis = std::span(axes).subspan(at, columns);
        longest =
            std::max(longest, std::inner_product(axis.begin(), axis.end(), axis.begin(), 0.0));
    }
    return Quantum(2 * static_cast<double>(rows) * means.largest_deviation *
                   means.largest_deviation * std::sqrt(static_cast<double>(columns) * longest));
}

}  // namespace

template <class T>
RowScatter<T>::RowScatter(const RowTiles<T>& tiles, const ColumnMeans& means, std::int64_t vectors,
                          const comm::Communicator& comm)
    : tiles_(tiles),
      means_(means),
      size_(static_cast<std::size_t>(vectors * tiles.columns())),
      comm_(comm) {}

template <class T>
void RowScatter<T>::operator()(const VectorBlock& in, VectorBlock& out) const {
    comm_.broadcast(true);
    out = multiply(in);
}

template <class T>
void RowScatter<T>::dismiss() const {
    comm_.broadcast(false);
}

template <class T>
void RowScatter<T>::serve() const {
    while (comm_.broadcast(false)) multiply(VectorBlock(size_));
}

template <class T>
VectorBlock RowScatter<T>::multiply(VectorBlock axes) const {
    comm_.broadcast(std::span<double>(axes));
    kernels::kokkos::AxisScatter scatter(means_.mean, axes,
                                         quantum(axes, tiles_.total_rows(), means_).anchor());
    store::agree_on_input(comm_, [&] {
        std::vector<T> room;
        for (std::int64_t t = 0; t < tiles_.count(); ++t) scatter.add(tiles_.rows(t, room));
    });
    auto sums = scatter.sums();
    comm_.sum(std::span<double>(sums));
    return sums;
}

template class RowScatter<float>;
template class RowScatter<double>;

}  // namespace nanoatlas::reduce
