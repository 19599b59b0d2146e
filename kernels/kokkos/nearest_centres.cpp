#include "kernels/kokkos/nearest_centres.hpp"

#include <Kokkos_Core.hpp>

#include "kernels/kokkos/centre_rows.hpp"
#include "kernels/kokkos/centre_search.hpp"
#include "kernels/kokkos/label_sums.hpp"
#include "kernels/kokkos/squared_distance.hpp"
#include "kernels/kokkos/views.hpp"

namespace nanoatlas::kernels::kokkos {

struct NearestCentres::State {
    FixedPoint fixed;
    DeviceView<double> centre;  // [columns] of the frame
    centre_search::Rows rows;
    centre_search::LabelSums sums;
    std::vector<double> last;  // [K, columns] where the centres were; empty: nowhere yet
};

NearestCentres::NearestCentres(std::span<const double> given, const Frame& frame,
                               std::size_t clusters, std::int64_t total_rows) {
    const FixedPoint fixed(frame.largest, total_rows);
    const DeviceView<double> centre("centre", frame.centre.size());
    Kokkos::deep_copy(centre, HostView<const double>(frame.centre.data(), frame.centre.size()));
    const auto rows = centre_search::make_rows(given, frame, centre);
    state_ = std::make_unique<State>(
        State{fixed, centre, rows, centre_search::LabelSums(rows, centre, clusters, fixed), {}});
    restart();
}

NearestCentres::~NearestCentres() = default;

void NearestCentres::restart() {
    Kokkos::deep_copy(state_->rows.label, -1);
    state_->sums.restart();
    state_->last.clear();
}

std::int64_t NearestCentres::assign(std::span<const double> centres) {
    const auto seen =
        centre_search::make_centres(state_->rows, state_->centre, centres, state_->last);
    state_->last.assign(centres.begin(), centres.end());
    return centre_search::assign_nearest(state_->rows, seen);
}

std::vector<std::int32_t> NearestCentres::labels() const {
    std::vector<std::int32_t> labels(state_->rows.count);
    copy_back(state_->rows.label, std::span(labels));
    return labels;
}

void NearestCentres::set_label(std::size_t row, std::int32_t label) {
    Kokkos::deep_copy(Kokkos::subview(state_->rows.label, row), label);
    Kokkos::deep_copy(Kokkos::subview(state_->rows.lead, row), 0.0F);
}

std::vector<double> NearestCentres::squared_distances(std::span<const double> centres) const {
    std::vector<double> squares(state_->rows.count);
    const auto rows = state_->rows;
    const auto seen = on_device(centres);
    const auto to = room_on_device(std::span(squares));
    for_each_row(
        "kmeans/squares", rows.count, KOKKOS_LAMBDA(const std::size_t i) {
            const auto label = static_cast<std::size_t>(rows.label(i));
            to(i) = squared_distance(&rows.given(i * rows.columns), &seen(label * rows.columns),
                                     rows.columns);
        });
    Kokkos::fence();
    copy_back(to, std::span(squares));
    return squares;
}

void NearestCentres::add_changes(std::span<std::int64_t> sums, std::span<std::int64_t> counts) {
    state_->sums.add_changes(sums, counts);
}

const FixedPoint& NearestCentres::fixed_point() const {
    return state_->fixed;
}

}  // namespace nanoatlas::kernels::kokkos
