#include "cluster/subsample.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "base/random.hpp"
#include "store/row_exchange.hpp"

namespace nanoatlas::cluster {

std::vector<std::int64_t> draw_rows(std::int64_t rows, std::int64_t count, std::uint64_t seed,
                                    std::uint64_t number) {
    auto drawn = base::permutation(rows, base::Random(seed, number));
    drawn.resize(static_cast<std::size_t>(count));
    std::sort(drawn.begin(), drawn.end());
    return drawn;
}

store::Matrix<double> take_rows(const store::Matrix<double>& matrix,
                                std::span<const std::int64_t> rows,
                                const comm::Communicator& comm) {
    const comm::BlockDistribution from(matrix.rows.total, comm.size()),
        to(std::ssize(rows), comm.size());
    std::vector<std::vector<double>> parts(static_cast<std::size_t>(comm.size()));
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (from.owner(rows[i]) != comm.rank()) continue;
        const auto values = matrix.row(rows[i] - matrix.rows.first);
        auto& part = parts[static_cast<std::size_t>(to.owner(static_cast<std::int64_t>(i)))];
        part.insert(part.end(), values.begin(), values.end());
    }
    store::Matrix<double> taken{to.block(comm.rank()), matrix.columns, {}};
    const auto received = comm.exchange(parts);
    std::vector<std::int64_t> read(received.size());
    for (auto i = taken.rows.first; i < taken.rows.end(); ++i) {
        const auto rank = static_cast<std::size_t>(from.owner(rows[static_cast<std::size_t>(i)]));
        const auto begin = received[rank].begin() + read[rank];
        taken.values.insert(taken.values.end(), begin, begin + matrix.columns);
        read[rank] += matrix.columns;
    }
    return taken;
}

Neighbours neighbours_among(const Neighbours& neighbours, std::span<const std::int64_t> kept,
                            const comm::Communicator& comm) {
    std::vector<std::int64_t> number(static_cast<std::size_t>(neighbours.rows.total), -1);
    for (std::size_t i = 0; i < kept.size(); ++i)
        number[static_cast<std::size_t>(kept[i])] = static_cast<std::int64_t>(i);
    const auto is_kept = [&](std::int64_t row) {
        return number[static_cast<std::size_t>(row)] >= 0;
    };

    int shortest = neighbours.k;
    std::vector<std::int64_t> own;  // kept rows of this rank, by their new numbers
    for (std::int64_t i = 0; i < neighbours.rows.count; ++i) {
        const auto row = neighbours.rows.first + i;
        if (!is_kept(row)) continue;
        own.push_back(number[static_cast<std::size_t>(row)]);
        shortest = std::min(
            shortest, static_cast<int>(std::ranges::count_if(neighbours.index_of(i), is_kept)));
    }
    shortest = comm.min(shortest);
    VALIDATE(shortest >= 2,
             "a random part of the rows leaves fewer than 2 of the {} neighbours of a row (a "
             "density takes 2); make --maxk larger or leave out --stability",
             neighbours.k);
    std::vector<std::int64_t> index;
    std::vector<double> distance;
    for (std::int64_t i = 0; i < neighbours.rows.count; ++i) {
        if (!is_kept(neighbours.rows.first + i)) continue;
        const auto list = neighbours.index_of(i);
        const auto distances = neighbours.distance_of(i);
        int taken = 0;
        for (std::size_t j = 0; taken < shortest; ++j) {
            if (!is_kept(list[j])) continue;
            index.push_back(number[static_cast<std::size_t>(list[j])]);
            distance.push_back(distances[j]);
            ++taken;
        }
    }
    const store::RowExchange exchange(own, 0, std::ssize(kept), comm);
    return {.rows = exchange.block(),
            .k = shortest,
            .index = exchange.values<std::int64_t>(index, shortest),
            .distance = exchange.values<double>(distance, shortest)};
}

}  // namespace nanoatlas::cluster
