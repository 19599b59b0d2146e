#include "store/row_exchange.hpp"

namespace nanoatlas::store {

RowExchange::RowExchange(std::span<const std::int64_t> row, std::int64_t first, std::int64_t count,
                         const comm::Communicator& comm)
    : comm_(comm), block_(comm::row_block(count, comm)) {
    const comm::BlockDistribution distribution(count, comm.size());
    std::vector<std::vector<std::int64_t>> parts;
    const auto index_of = [&](std::int64_t number) {
        const auto at = std::lower_bound(row.begin(), row.end(), number);
        return static_cast<std::size_t>(at - row.begin());
    };
    for (int rank = 0; rank < comm.size(); ++rank) {
        const auto theirs = distribution.block(rank);
        const Range range{index_of(first + theirs.first), index_of(first + theirs.end())};
        sent_.push_back(range);
        const auto part = row.subspan(range.begin, range.end - range.begin);
        parts.emplace_back(part.begin(), part.end());
    }
    for (const auto& rows : comm.exchange(parts)) {
        auto& positions = position_.emplace_back();
        for (const auto number : rows)
            positions.push_back(static_cast<std::size_t>(number - first - block_.first));
    }
}

std::vector<std::string> RowExchange::strings(std::span<const std::string> mine) const {
    std::vector<std::vector<char>> texts;
    std::vector<std::int64_t> lengths;
    for (const auto& text : mine) lengths.push_back(static_cast<std::int64_t>(text.size()));
    for (const auto& [begin, end] : sent_) {
        auto& part = texts.emplace_back();
        for (std::size_t i = begin; i < end; ++i)
            part.insert(part.end(), mine[i].begin(), mine[i].end());
    }
    const auto block_lengths = values<std::int64_t>(lengths, 1);
    const auto received = comm_.exchange(texts);
    std::vector<std::string> block(static_cast<std::size_t>(block_.count));
    for (std::size_t rank = 0; rank < received.size(); ++rank) {
        std::size_t offset = 0;
        for (const auto position : position_[rank]) {
            const auto length = static_cast<std::size_t>(block_lengths[position]);
            block[position].assign(received[rank].data() + offset, length);
            offset += length;
        }
    }
    return block;
}

}  // namespace nanoatlas::store
