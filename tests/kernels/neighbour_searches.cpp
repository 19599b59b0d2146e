#include "tests/kernels/neighbour_searches.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

namespace nanoatlas::kernels {
namespace {

/// Rows cut into blocks of a given size, laid out.
struct Blocks {
    struct Block {
        std::span<const double> values;
        std::size_t first, count;
        kokkos::Layout layout;

        std::int64_t first_row() const { return static_cast<std::int64_t>(first); }
    };
    std::vector<Block> blocks;

    Blocks(const Rows& rows, const kokkos::Frame& frame, std::size_t size) {
        for (std::size_t first = 0; first < rows.count; first += size) {
            const auto count = std::min(size, rows.count - first);
            const auto values =
                std::span(rows.values).subspan(first * rows.columns, count * rows.columns);
            blocks.push_back({values, first, count, kokkos::lay_out(values, frame)});
        }
    }
};

std::unique_ptr<kokkos::NeighbourSearch> search_of(const Blocks::Block& block,
                                                   const kokkos::Frame& frame, std::size_t k,
                                                   reference::NeighbourLists& lists) {
    return std::make_unique<kokkos::NeighbourSearch>(
        block.values, block.layout, block.first_row(), frame,
        std::span(lists.index).subspan(block.first * k, block.count * k),
        std::span(lists.distance).subspan(block.first * k, block.count * k));
}

reference::NeighbourLists empty_lists(const Rows& rows, std::size_t k) {
    return {std::vector<std::int64_t>(rows.count * k), std::vector<double>(rows.count * k)};
}

// Without rows where the layout has them in f32.
std::span<const double> values_of(const Blocks::Block& block) {
    const std::span<const float> exact(block.layout.exact);
    return exact.empty() ? block.values : std::span<const double>();
}

// What one block knows while it visits others.
struct VisitorLists {
    std::vector<std::int64_t> index;
    std::vector<double> squared;
    std::vector<std::int32_t> found;
    std::vector<float> limit;

    VisitorLists(std::vector<float> limits, std::size_t k)
        : index(limits.size() * k),
          squared(index.size()),
          found(limits.size()),
          limit(std::move(limits)) {}
    kokkos::ListsView view() { return {index, squared, found, limit}; }
};

}  // namespace

Rows rows_of(std::size_t count, std::size_t columns,
             const std::function<double(std::size_t)>& value) {
    Rows rows{std::vector<double>(count * columns), count, columns};
    for (std::size_t i = 0; i < rows.values.size(); ++i) rows.values[i] = value(i);
    return rows;
}

kokkos::Frame frame_of(const Rows& rows) {
    kokkos::Frame frame{std::vector<double>(rows.columns), 0};
    for (std::size_t i = 0; i < rows.values.size(); ++i)
        frame.centre[i % rows.columns] += rows.values[i] / static_cast<double>(rows.count);
    for (std::size_t i = 0; i < rows.values.size(); ++i)
        frame.largest =
            std::max(frame.largest, std::abs(rows.values[i] - frame.centre[i % rows.columns]));
    if (frame.largest == 0) frame.largest = 1;
    return frame;
}

kokkos::Frame with_axes(kokkos::Frame frame, std::size_t count) {
    const std::size_t columns = frame.centre.size();
    frame.directions.assign(count * columns, 0);
    for (std::size_t d = 0; d < count; ++d) frame.directions[d * columns + d] = 1;
    return frame;
}

reference::NeighbourLists search(const Rows& rows, const kokkos::Frame& frame, std::size_t k,
                                 std::size_t size) {
    auto lists = empty_lists(rows, k);
    const Blocks whole(rows, frame, rows.count), cut(rows, frame, size);
    const auto search = search_of(whole.blocks.front(), frame, k, lists);
    for (auto block = cut.blocks.rbegin(); block != cut.blocks.rend(); ++block)
        search->add(block->values, block->layout, block->first_row());
    search->finish();
    return lists;
}

reference::NeighbourLists search_in_ring(const Rows& rows, const kokkos::Frame& frame,
                                         std::size_t k, std::size_t size) {
    auto lists = empty_lists(rows, k);
    const Blocks cut(rows, frame, size);
    const auto& blocks = cut.blocks;
    for (std::size_t own = 0; own < blocks.size(); ++own) {
        const auto search = search_of(blocks[own], frame, k, lists);
        search->add(blocks[own].values, blocks[own].layout, blocks[own].first_row());
        for (std::size_t b = own + 1; b < own + blocks.size(); ++b) {
            const auto& other = blocks[b % blocks.size()];
            search->add(values_of(other), other.layout, other.first_row());
        }
        search->finish();
    }
    return lists;
}

reference::NeighbourLists search_on_visits(const Rows& rows, const kokkos::Frame& frame,
                                           std::size_t k, std::size_t size) {
    auto lists = empty_lists(rows, k);
    const Blocks cut(rows, frame, size);
    const auto& blocks = cut.blocks;
    std::vector<std::unique_ptr<kokkos::NeighbourSearch>> searches;
    for (const auto& block : blocks) {
        searches.push_back(search_of(block, frame, k, lists));
        searches.back()->add(block.values, block.layout, block.first_row());
    }
    const auto visit = [&](std::size_t host, std::size_t end, std::size_t guest, std::size_t from,
                           VisitorLists& known) {
        const auto& visitors = blocks[guest];
        searches[host]->meet(end, values_of(visitors), visitors.layout, visitors.first_row(), from,
                             known.view());
    };
    for (std::size_t guest = 0; guest < blocks.size(); ++guest) {
        VisitorLists known(searches[guest]->limits(), k);
        for (std::size_t host = 0; host < guest; ++host) {
            const bool by_halves = (host + guest) % 3 == 0;
            const auto half =
                blocks[host].count / 2 / kokkos::pair_block_rows * kokkos::pair_block_rows;
            visit(host, by_halves ? half : blocks[host].count, guest, 0, known);
            if (!by_halves) continue;
            VisitorLists others(searches[host]->limits(), k);
            visit(guest, blocks[guest].count, host, half, others);
            searches[host]->merge(0, others.view());
        }
        searches[guest]->merge(0, known.view());
    }
    for (const auto& search : searches) search->finish();
    return lists;
}

}  // namespace nanoatlas::kernels
