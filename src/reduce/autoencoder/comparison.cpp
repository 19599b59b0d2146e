#include "reduce/autoencoder/comparison.hpp"

#include <algorithm>
#include <array>
#include <numeric>

#include "reduce/enhance/columns.hpp"

namespace nanoatlas::reduce {
namespace {

constexpr std::int64_t most_rows = 20'000, most_values = 1 << 26;

/// Some of the numbers, at equal distances.
std::vector<std::int64_t> spread(std::span<const std::int64_t> numbers, std::int64_t most) {
    const auto count = std::min(most, std::ssize(numbers));
    std::vector<std::int64_t> chosen;
    for (std::int64_t i = 0; i < count; ++i)
        chosen.push_back(numbers[static_cast<std::size_t>(i * std::ssize(numbers) / count)]);
    return chosen;
}

double sum_of(std::span<const double> values) {
    return std::accumulate(values.begin(), values.end(), 0.0);
}

/// use(values, numbers) of those of the rows that this rank has, 1,024 at a time.
template <class Use>
void for_each_tile(const AutoencoderRows& rows, std::span<const std::int64_t> numbers,
                   const Use& use) {
    constexpr std::size_t together = 1024;
    const auto mine = own_part(numbers, rows.block());
    for (std::size_t at = 0; at < mine.size(); at += together) {
        const auto part = mine.subspan(at, std::min(together, mine.size() - at));
        const store::Matrix<float> tile{
            .rows = {.first = 0, .count = std::ssize(part), .total = std::ssize(part)},
            .columns = rows.shape().elements(),
            .values = rows.own(part)};
        use(tile, part);
    }
}

}  // namespace

Pca principal_components(const AutoencoderRows& rows, std::span<const std::int64_t> numbers,
                         std::int64_t count, const comm::Communicator& comm) {
    const auto columns = rows.shape().elements();
    const auto chosen =
        spread(numbers, std::max<std::int64_t>(2, std::min(most_rows, most_values / columns)));
    const auto block = comm::row_block(std::ssize(chosen), comm);
    const auto mine = std::span(chosen).subspan(static_cast<std::size_t>(block.first),
                                                static_cast<std::size_t>(block.count));
    const store::Matrix<float> matrix{
        .rows = block, .columns = columns, .values = rows.fetch(mine)};
    const auto most = std::min({count, columns, block.total - 1});
    return fit_pca(matrix, {.components = std::to_string(most)}, comm);
}

double mean_square(const AutoencoderRows& rows, std::span<const std::int64_t> numbers,
                   std::span<const double> from, const comm::Communicator& comm) {
    double sum = 0;
    for_each_tile(rows, numbers, [&](const store::Matrix<float>& tile, const auto&) {
        sum += sum_of(squared_distances(tile, from));
    });
    return comm.sum(sum) / static_cast<double>(std::ssize(numbers) * rows.shape().elements());
}

Unexplained unexplained(const Encoded& encoded, const Pca& pca, const AutoencoderRows& rows,
                        std::span<const std::int64_t> numbers, const comm::Communicator& comm) {
    double whole = 0, kept = 0, lost = 0;
    for_each_tile(rows, numbers, [&](const store::Matrix<float>& tile, const auto& part) {
        whole += sum_of(squared_distances(tile, pca.mean));
        for (const double score : project(tile, pca, Whiten::off).values) kept += score * score;
        for (const auto number : part)
            lost += encoded.squared_error[static_cast<std::size_t>(number - rows.block().first)];
    });
    std::array<double, 3> sums{whole, kept, lost};
    comm.sum(std::span<double>(sums));
    if (sums[0] == 0) return {};
    return {.autoencoder = sums[2] / sums[0], .pca = std::max(0.0, 1 - sums[1] / sums[0])};
}

}  // namespace nanoatlas::reduce
