#include "cluster/neighbours.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "base/check.hpp"
#include "base/progress.hpp"
#include "kernels/kokkos/neighbours.hpp"
#include "store/agree.hpp"

namespace nanoatlas::cluster {
namespace {

constexpr int ring_tag = 1;

// Offers this rank's rows, all at once or in parts, to whoever needs to go over them.
using ForEachPart =
    std::function<void(const std::function<void(std::span<const double> rows)>& visit)>;

kernels::kokkos::Frame make_frame(std::int64_t total, std::size_t columns,
                                  const ForEachPart& for_each_part,
                                  const comm::Communicator& comm) {
    kernels::kokkos::Frame frame{std::vector<double>(columns), 0};
    for_each_part([&](std::span<const double> rows) {
        for (std::size_t i = 0; i < rows.size(); ++i)
            frame.centre[i % columns] += rows[i] / static_cast<double>(total);
    });
    comm.sum(std::span(frame.centre));
    for_each_part([&](std::span<const double> rows) {
        for (std::size_t i = 0; i < rows.size(); ++i)
            frame.largest = std::max(frame.largest, std::abs(rows[i] - frame.centre[i % columns]));
    });
    frame.largest = comm.max(frame.largest);
    VALIDATE(frame.largest < 1e130 && (frame.largest == 0 || frame.largest > 1e-130),
             "values differ from their mean by up to {:.2g} (the squares of distances leave the "
             "range of 64-bit floating point); scale the matrix",
             frame.largest);
    if (frame.largest == 0) frame.largest = 1;  // all rows equal
    return frame;
}

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

// The rows that pass round, with their order: each step this rank holds those of the next rank up.
class Ring {
  public:
    /// own: this rank's rows; ranges: which rows each rank brings
    Ring(std::span<const double> own, std::size_t columns, std::vector<comm::RowBlock> ranges,
         const comm::Communicator& comm)
        : comm_(comm),
          columns_(columns),
          ranges_(std::move(ranges)),
          own_order_(kernels::kokkos::layout_order(own, columns)),
          rows_(own),
          order_(own_order_) {}

    int steps() const { return comm_.size(); }
    std::span<const double> rows() const { return rows_; }
    std::span<const std::int32_t> order() const { return order_; }
    std::int64_t first_row() const { return range_at(step_).first; }

    /// Sets the transfer of the next rows going, while the present ones are in use.
    void start_transfer() {
        if (step_ + 1 == steps()) return;
        const int below = (comm_.rank() + comm_.size() - 1) % comm_.size();
        const int above = (comm_.rank() + 1) % comm_.size();
        auto& incoming = buffers_[step_ % 2];
        const auto count = static_cast<std::size_t>(range_at(step_ + 1).count);
        incoming.rows.resize(count * columns_);
        incoming.order.resize(count);
        start(comm_.start_receive(std::span<double>(incoming.rows), above, ring_tag));
        start(comm_.start_receive(std::span<std::int32_t>(incoming.order), above, ring_tag));
        start(comm_.start_send(rows_, below, ring_tag));
        start(comm_.start_send(order_, below, ring_tag));
    }

    /// Drives the transfer.
    void poll() {
        for (auto& request : requests_) request.test();
    }

    void advance() {
        for (auto& request : requests_) request.wait();
        requests_.clear();
        const auto& arrived = buffers_[step_++ % 2];
        rows_ = arrived.rows;
        order_ = arrived.order;
    }

  private:
    struct Buffer {
        std::vector<double> rows;
        std::vector<std::int32_t> order;
    };

    void start(std::vector<comm::Request> started) {
        std::move(started.begin(), started.end(), std::back_inserter(requests_));
    }
    const comm::RowBlock& range_at(int step) const {
        return ranges_[static_cast<std::size_t>((comm_.rank() + step) % comm_.size())];
    }

    const comm::Communicator& comm_;
    std::size_t columns_;
    std::vector<comm::RowBlock> ranges_;
    std::vector<std::int32_t> own_order_;
    std::span<const double> rows_;
    std::span<const std::int32_t> order_;
    Buffer buffers_[2];
    std::vector<comm::Request> requests_;
    int step_ = 0;
};

std::vector<comm::RowBlock> blocks_of_all_ranks(std::int64_t rows, const comm::Communicator& comm) {
    const comm::BlockDistribution blocks(rows, comm.size());
    std::vector<comm::RowBlock> all;
    for (int rank = 0; rank < comm.size(); ++rank) all.push_back(blocks.block(rank));
    return all;
}

// Part number `part` of a block cut into parts of `at_once` rows; empty beyond its end.
comm::RowBlock part_of(const comm::RowBlock& block, std::int64_t part, std::int64_t at_once) {
    const auto first = std::min(block.first + part * at_once, block.end());
    return {.first = first, .count = std::min(at_once, block.end() - first), .total = block.total};
}

// Lets all ranks' rows pass by.
void search_round(kernels::kokkos::NeighbourSearch& search, Ring& ring, base::Progress& progress) {
    for (int step = 0; step < ring.steps(); ++step) {
        ring.start_transfer();
        search.add(ring.rows(), ring.order(), ring.first_row(), [&](std::size_t rows) {
            progress.advance(static_cast<std::int64_t>(rows));
            ring.poll();
        });
        ring.advance();
    }
}

}  // namespace

Neighbours find_neighbours(const store::Matrix<double>& matrix, int k,
                           const comm::Communicator& comm) {
    check_length(matrix.rows.total, k);
    const auto columns = static_cast<std::size_t>(matrix.columns);
    auto lists = empty_lists(matrix.rows, k);
    const auto frame = make_frame(
        matrix.rows.total, columns, [&](const auto& visit) { visit(matrix.values); }, comm);
    Ring ring(matrix.values, columns, blocks_of_all_ranks(matrix.rows.total, comm), comm);
    kernels::kokkos::NeighbourSearch search(matrix.values, ring.order(), matrix.rows.first, frame,
                                            lists.index, lists.distance);
    base::Progress progress("cluster/neighbours", matrix.rows.count * ring.steps(), "rows");
    search_round(search, ring, progress);
    search.finish();
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
    const auto frame = make_frame(
        source.rows, columns,
        [&](const auto& visit) {
            for (std::int64_t part = 0; part < parts; ++part)
                visit(read(part_of(own, part, at_once)));
        },
        comm);
    base::Progress progress("cluster/neighbours", own.count * parts * comm.size(), "rows");
    for (std::int64_t part = 0; part < parts; ++part) {
        auto lists = empty_lists(part_of(own, part, at_once), k);
        const auto searching = read(lists.rows);
        const auto order = kernels::kokkos::layout_order(searching, columns);
        kernels::kokkos::NeighbourSearch search(searching, order, lists.rows.first, frame,
                                                lists.index, lists.distance);
        for (std::int64_t passing = 0; passing < parts; ++passing) {
            std::vector<comm::RowBlock> ranges;
            for (const auto& block : blocks) ranges.push_back(part_of(block, passing, at_once));
            const auto candidates = read(ranges[static_cast<std::size_t>(comm.rank())]);
            Ring ring(candidates, columns, ranges, comm);
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
