#include "cluster/mutual_search.hpp"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "base/progress.hpp"
#include "cluster/row_ring.hpp"

namespace nanoatlas::cluster {
namespace {

std::size_t at(std::int64_t row) {
    return static_cast<std::size_t>(row);
}

/// What rows on their way know of their neighbours.
struct TravellingLists {
    std::vector<std::int64_t> index;
    std::vector<double> squared;
    std::vector<std::int32_t> found;
    std::vector<float> limit;

    TravellingLists(std::int64_t rows, int k)
        : index(at(rows * k)), squared(index.size()), found(at(rows)), limit(found.size()) {}

    kernels::kokkos::ListsView view() { return {index, squared, found, limit}; }
};

class MutualSearch {
  public:
    MutualSearch(const store::Matrix<double>& matrix, const kernels::kokkos::Frame& frame,
                 std::int64_t rows_at_once, Neighbours& lists, const comm::Communicator& comm)
        : own_(matrix.rows),
          k_(lists.k),
          comm_(comm),
          layout_(kernels::kokkos::lay_out(matrix.values, frame)),
          ordered_(ordered_rows(matrix.values, layout_, frame, comm)),
          search_(matrix.values, layout_, own_.first, frame, lists.index, lists.distance),
          blocks_(blocks_of_all_ranks(own_.total, comm)),
          ring_(ordered_, blocks_, comm, rows_at_once, comm.size() / 2),
          progress_("cluster/neighbours", own_.count, "rows") {
        all_pairs_ = pairs_among(own_.count);
        for (int step = 1; step < ring_.steps(); ++step) {
            const auto meeting = meeting_at(step);
            all_pairs_ += static_cast<double>(meeting.own_end) *
                          static_cast<double>(ring_.rows_at(step).count - meeting.first);
        }
    }

    void run() {
        ring_.go_round([&] {
            if (ring_.step() == 0) {
                search_own();
                exchange_limits();
            } else {
                meet();
                pass_on();
            }
        });
        for (auto& transfer : transfers_) end(transfer);
        search_.finish();
    }

  private:
    RowRing::Meeting meeting_at(int step) const {
        return ring_.meeting(step, std::int64_t{kernels::kokkos::pair_block_rows});
    }

    static double pairs_among(std::int64_t rows) {
        return 0.5 * static_cast<double>(rows) * static_cast<double>(rows);
    }

    void search_own() {
        const auto each = 0.5 * static_cast<double>(own_.count);
        search_.add(ring_.rows(), layout_, own_.first,
                    [&](std::size_t rows) { tell(static_cast<double>(rows) * each); });
    }

    // What the rows of the next rank up know when they set out.
    void exchange_limits() {
        const auto own = search_.limits();
        limits_above_.resize(at(blocks_[static_cast<std::size_t>(above())].count));
        std::vector<comm::Request> requests;
        exchange(std::span<const float>(own), below(), limits_above_, above(), requests);
    }

    void meet() {
        const auto [own_end, first] = meeting_at(ring_.step());
        const auto present = ring_.present();
        if (ring_.hop(ring_.step()) == 1) {
            visitors_ = TravellingLists(present.count, k_);
            const auto skipped = present.first - blocks_[static_cast<std::size_t>(above())].first;
            std::copy_n(limits_above_.begin() + skipped, present.count, visitors_.limit.begin());
        }
        const auto each = static_cast<double>(present.count - first);
        search_.meet(at(own_end), ring_.rows(), ring_.layout(), present.first, at(first),
                     visitors_.view(),
                     [&](std::size_t rows) { tell(static_cast<double>(rows) * each); });
    }

    void tell(double pairs) {
        const auto rows_done = [&] {
            return static_cast<std::int64_t>(pairs_ / all_pairs_ * static_cast<double>(own_.count));
        };
        const auto before = rows_done();
        pairs_ += pairs;
        progress_.advance(rows_done() - before);
        ring_.poll();
    }

    // Lists go where their rows go, and home from the last rank these visit.
    void pass_on() {
        const int size = comm_.size(), rank = comm_.rank(), hop = ring_.hop(ring_.step());
        if (hop == size / 2) return send_home((rank + hop) % size, (rank + size - hop) % size);
        TravellingLists next(ring_.rows_at(ring_.step() + 1).count, k_);
        {
            std::vector<comm::Request> requests;
            exchange(visitors_, below(), next, above(), requests);
        }  // all are done
        visitors_ = std::move(next);
    }

    /// Lists on their way home, from here and to here. Nobody waits for them before the end, so
    /// that a rank may be ahead of another.
    struct Transfer {
        TravellingLists leaving, coming;
        std::int64_t first;  // own row of the first that come
        std::vector<comm::Request> requests = {};

        bool is_over() {
            return std::ranges::all_of(requests, [](auto& request) { return request.test(); });
        }
    };

    void send_home(int to, int from) {
        std::erase_if(transfers_, [&](Transfer& transfer) {
            if (!transfer.is_over()) return false;
            end(transfer);
            return true;
        });
        const auto part = part_of(own_, ring_.part(ring_.step()), ring_.at_once());
        auto& transfer = transfers_.emplace_back(Transfer{
            std::move(visitors_), TravellingLists(part.count, k_), part.first - own_.first});
        exchange(transfer.leaving, to, transfer.coming, from, transfer.requests);
    }

    void end(Transfer& transfer) {
        for (auto& request : transfer.requests) request.wait();
        search_.merge(at(transfer.first), transfer.coming.view());
    }

    int above() const { return (comm_.rank() + 1) % comm_.size(); }
    int below() const { return (comm_.rank() + comm_.size() - 1) % comm_.size(); }

    using Requests = std::vector<comm::Request>;

    void exchange(const TravellingLists& sent, int to, TravellingLists& received, int from,
                  Requests& requests) const {
        exchange(std::span(sent.index), to, received.index, from, requests);
        exchange(std::span(sent.squared), to, received.squared, from, requests);
        exchange(std::span(sent.found), to, received.found, from, requests);
        exchange(std::span(sent.limit), to, received.limit, from, requests);
    }
    template <class T>
    void exchange(std::span<const T> sent, int to, std::vector<T>& received, int from,
                  Requests& requests) const {
        const auto start = [&](Requests started) {
            std::move(started.begin(), started.end(), std::back_inserter(requests));
        };
        start(comm_.start_receive(std::span(received), from, tag));
        start(comm_.start_send(sent, to, tag));
    }

    static constexpr int tag = 3;
    comm::RowBlock own_;
    int k_;
    const comm::Communicator& comm_;
    kernels::kokkos::Layout layout_;
    OrderedRows ordered_;
    kernels::kokkos::NeighbourSearch search_;
    std::vector<comm::RowBlock> blocks_;
    RowRing ring_;
    TravellingLists visitors_{0, 0};
    std::vector<float> limits_above_;
    std::vector<Transfer> transfers_;
    base::Progress progress_;
    double pairs_ = 0, all_pairs_;
};

}  // namespace

void search_mutually(const store::Matrix<double>& matrix, const kernels::kokkos::Frame& frame,
                     std::int64_t at_once, Neighbours& lists, const comm::Communicator& comm) {
    constexpr auto block = std::int64_t{kernels::kokkos::pair_block_rows};
    const auto enough = static_cast<std::int64_t>(kernels::kokkos::enough_visitors());
    MutualSearch(matrix, frame, std::max(at_once / block * block, enough), lists, comm).run();
}

}  // namespace nanoatlas::cluster
