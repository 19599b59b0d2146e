#include "cluster/neighbours.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/check.hpp"
#include "base/progress.hpp"
#include "cluster/frame.hpp"
#include "cluster/leading_directions.hpp"
#include "cluster/mutual_search.hpp"
#include "cluster/panel_forecast.hpp"
#include "cluster/row_ring.hpp"
#include "kernels/kokkos/neighbours.hpp"
#include "store/agree.hpp"

namespace nanoatlas::cluster {
namespace {

void check_length(std::int64_t rows, int k) {
    VALIDATE(k >= 1 && k < rows,
             "cannot list {} neighbours of {} rows (a row is not its own neighbour); ask for 1 to "
             "{}",
             k, rows, rows - 1);
}

Neighbours empty_lists(const comm::RowBlock& rows, int k) {
    const auto size = static_cast<std::size_t>(rows.count * k);
    return {.rows = rows,
            .k = k,
            .index = std::vector<std::int64_t>(size),
            .distance = std::vector<double>(size)};
}

// Lets all ranks' rows pass by. A row is done when it has met all of them.
void search_round(kernels::kokkos::NeighbourSearch& search, RowRing& ring,
                  base::Progress& progress) {
    std::int64_t pairs = 0;
    ring.go_round([&] {
        search.add(ring.rows(), ring.layout(), ring.first_row(), [&](std::size_t rows) {
            const auto done = pairs / ring.total();
            pairs += static_cast<std::int64_t>(rows) * ring.present().count;
            progress.advance(pairs / ring.total() - done);
            ring.poll();
        });
    });
}

// Up to so many values a matrix comes to each rank whole.
constexpr std::int64_t few_values = std::int64_t{8} << 20;
// So many of a larger one's are on their way at a time: 6 bytes each of wide rows.
constexpr std::int64_t values_at_once = std::int64_t{16} << 20;

// All pairs are compared block by block, those of a rank's own rows once.
bool comes_whole(const store::Matrix<double>& matrix, const kernels::kokkos::Frame& frame,
                 const comm::Communicator& comm) {
    return comm.size() > 1 && matrix.rows.total * matrix.columns <= few_values &&
           route_of(frame) != kernels::kokkos::SearchRoute::pairs;
}

// All rows on each rank, straight to their places.
std::vector<double> whole_of(const store::Matrix<double>& matrix, const comm::Communicator& comm) {
    std::vector<double> whole(static_cast<std::size_t>(matrix.rows.total * matrix.columns));
    const auto blocks = blocks_of_all_ranks(matrix.rows.total, comm);
    const std::span<const double> own(matrix.values);
    std::vector<comm::Request> requests;
    const auto add = [&](std::vector<comm::Request> started) {
        std::move(started.begin(), started.end(), std::back_inserter(requests));
    };
    const auto place_of = [&](const comm::RowBlock& rows) {
        return std::span(whole).subspan(static_cast<std::size_t>(rows.first * matrix.columns),
                                        static_cast<std::size_t>(rows.count * matrix.columns));
    };
    for (int step = 1; step < comm.size(); ++step) {
        const int from = (comm.rank() + step) % comm.size();
        add(comm.start_receive(place_of(blocks[static_cast<std::size_t>(from)]), from));
        add(comm.start_send(own, (comm.rank() + comm.size() - step) % comm.size()));
    }
    std::copy(own.begin(), own.end(), place_of(matrix.rows).begin());
    for (auto& request : requests) request.wait();
    return whole;
}

// Lets all rows come at once, in one order that the ranks find together: panels are as small, and
// limits as low from the start, as on one rank.
void search_whole(const store::Matrix<double>& matrix, const kernels::kokkos::Frame& frame,
                  Neighbours& lists, const comm::Communicator& comm) {
    const auto values = whole_of(matrix, comm);
    auto layout = kernels::kokkos::lay_out(values, frame, {comm.rank(), comm.size()});
    layout.order = comm.all_gather(layout.order);
    lists.order = order_of_part(
        layout.order, {.count = matrix.rows.total, .total = matrix.rows.total}, matrix.rows);
    ENSURE(std::ssize(layout.order) == matrix.rows.total &&
               std::ssize(lists.order) == matrix.rows.count,
           "the ranks' shares of the order of {} rows don't fit together", matrix.rows.total);
    const auto own = kernels::kokkos::LayoutView(layout).part(
        static_cast<std::size_t>(matrix.rows.first), static_cast<std::size_t>(matrix.rows.count),
        lists.order, layout_widths(frame));
    kernels::kokkos::NeighbourSearch search(matrix.values, own, matrix.rows.first, frame,
                                            lists.index, lists.distance);
    base::Progress progress("cluster/neighbours", matrix.rows.count, "rows");
    search.add(values, layout, 0,
               [&](std::size_t rows) { progress.advance(static_cast<std::int64_t>(rows)); });
    search.finish();
}

void search_by_blocks(const store::Matrix<double>& matrix, const kernels::kokkos::Frame& frame,
                      Neighbours& lists, const comm::Communicator& comm) {
    const auto at_once = std::max(values_at_once / matrix.columns, std::int64_t{1});
    if (route_of(frame) == kernels::kokkos::SearchRoute::pairs)
        return search_mutually(matrix, frame, at_once, lists, comm);
    auto layout = kernels::kokkos::lay_out(matrix.values, frame);
    RowRing ring(ordered_rows(matrix.values, layout, frame, comm),
                 blocks_of_all_ranks(matrix.rows.total, comm), comm, at_once);
    kernels::kokkos::NeighbourSearch search(matrix.values, layout, matrix.rows.first, frame,
                                            lists.index, lists.distance);
    base::Progress progress("cluster/neighbours", matrix.rows.count, "rows");
    search_round(search, ring, progress);
    search.finish();
    lists.order = std::move(layout.order);
}

}  // namespace

Neighbours find_neighbours(const store::Matrix<double>& matrix, int k,
                           const comm::Communicator& comm) {
    check_length(matrix.rows.total, k);
    auto lists = empty_lists(matrix.rows, k);
    auto frame = make_frame(matrix, comm);
    const auto read = [&](std::int64_t row) {
        const auto* values =
            &matrix.values[static_cast<std::size_t>((row - matrix.rows.first) * matrix.columns)];
        return std::vector<double>(values, values + matrix.columns);
    };
    add_leading_directions(frame, matrix.rows.total, k, read, comm);
    choose_panels_or_pairs(frame, matrix.rows.total, k, read, comm);
    if (comes_whole(matrix, frame, comm))
        search_whole(matrix, frame, lists, comm);
    else
        search_by_blocks(matrix, frame, lists, comm);
    return lists;
}

void find_neighbours_in_parts(const RowSource& source, int k, std::int64_t at_once,
                              const std::function<void(const Neighbours& lists)>& sink,
                              const comm::Communicator& comm) {
    check_length(source.rows, k);
    const auto columns = static_cast<std::size_t>(source.columns);
    const auto blocks = blocks_of_all_ranks(source.rows, comm);
    const auto& own = blocks[static_cast<std::size_t>(comm.rank())];
    const auto parts = (blocks.front().count + at_once - 1) / at_once;  // of the longest block
    const auto read = [&](const comm::RowBlock& rows) {
        std::vector<double> values;
        store::agree_on_input(comm, [&] { values = source.read(rows.first, rows.count); });
        return values;
    };
    auto frame = make_frame(
        source.rows, columns,
        [&](const auto& visit) {
            for (std::int64_t part = 0; part < parts; ++part)
                visit(read(part_of(own, part, at_once)));
        },
        comm);
    add_leading_directions(
        frame, source.rows, k, [&](std::int64_t row) { return source.read(row, 1); }, comm);
    base::Progress progress("cluster/neighbours", own.count * parts, "rows");
    for (std::int64_t part = 0; part < parts; ++part) {
        auto lists = empty_lists(part_of(own, part, at_once), k);
        const auto searching = read(lists.rows);
        const auto layout = kernels::kokkos::lay_out(searching, frame);
        kernels::kokkos::NeighbourSearch search(searching, layout, lists.rows.first, frame,
                                                lists.index, lists.distance);
        for (std::int64_t passing = 0; passing < parts; ++passing) {
            std::vector<comm::RowBlock> ranges;
            ranges.reserve(blocks.size());
            for (const auto& block : blocks) ranges.push_back(part_of(block, passing, at_once));
            const auto candidates = read(ranges[static_cast<std::size_t>(comm.rank())]);
            auto their_layout = kernels::kokkos::lay_out(candidates, frame);
            RowRing ring(ordered_rows(candidates, their_layout, frame, comm), ranges, comm);
            search_round(search, ring, progress);
        }
        search.finish();
        sink(lists);
    }
}

void check_rows_differ(const Neighbours& neighbours, const comm::Communicator& comm) {
    std::vector<std::int64_t> coinciding;
    for (std::int64_t i = 0; i < neighbours.rows.count && coinciding.empty(); ++i)
        if (neighbours.distance_of(i)[0] == 0)
            coinciding = {neighbours.rows.first + i, neighbours.index_of(i)[0]};
    const auto found = comm.all_gather(coinciding);
    if (found.empty()) return;
    throw InputError(
        fmt::format("rows {} and {} coincide (the density there is infinite); keep one of them",
                    found[0], found[1]));
}

}  // namespace nanoatlas::cluster
